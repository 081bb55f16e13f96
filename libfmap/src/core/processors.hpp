// SPDX-License-Identifier: BSD-3-Clause
// How many processors this process may use.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace fmap::detail {

/// Those in its affinity mask, or fewer if its control groups have a quota of processor time (rounded up); at
/// least 1.
std::size_t usable_processors();

/// A control group that may not use more processors than this.
struct processor_quota {
  double processors = 0;
  std::string directory;
  bool second_version = false;

  /// The processor time that it has used; 0 if that is not told.
  std::chrono::nanoseconds spent() const;
};

/// The quotas of the control groups that this process is in, versions 1 and 2. `root` stands before the names of all
/// files.
std::vector<processor_quota> processor_quotas(const std::string& root = {});

/// The least of them, in processors.
std::optional<double> least_quota(const std::string& root = {});

}  // namespace fmap::detail
