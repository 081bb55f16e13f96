// SPDX-License-Identifier: BSD-3-Clause
// Whether the machine can take another command.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace fmap::tool {

/// --load and --memfree.
struct gate {
  std::optional<double> load;
  std::uint64_t memory = 0;

  bool asked_for() const { return load.has_value() || memory != 0; }

  /// Why none should be begun now; empty: one may be.
  std::string closed() const;
};

/// The memory that can be had without swapping, of the machine or of our control group; none if nobody knows.
std::optional<std::uint64_t> free_memory();

}  // namespace fmap::tool
