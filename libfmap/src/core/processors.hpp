// SPDX-License-Identifier: BSD-3-Clause
// How many processors this process may use.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace fmap::detail {

/// Those in its affinity mask, or fewer if its control groups have a quota of processor time (rounded up); at
/// least 1.
std::size_t usable_processors();

/// The least quota of the control groups that this process is in, versions 1 and 2, in processors. `root` stands
/// before the names of all files.
std::optional<double> processor_quota(const std::string& root = {});

}  // namespace fmap::detail
