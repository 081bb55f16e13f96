// SPDX-License-Identifier: BSD-3-Clause
// Who is to blame for a death that nobody saw.
#pragma once

#include <cstdint>
#include <limits>

#include "src/remote/kernel.hpp"

namespace fmap::remote {

/// Tells suspects from others when a peer dies without a witness. A peer that begins items in the order in which
/// they were sent, so many at a time, was most likely at the first ones that it has not answered. These are suspects:
/// each runs alone from now on, and if another peer dies of it then it is to blame. The others may have begun, too
/// (their answers may have been on their way), but are not blamed. So each death convicts or clears somebody.
class suspects {
public:
  /// For peers of which no order is known: all that they hold is suspect.
  static constexpr std::uint32_t everybody = std::numeric_limits<std::uint32_t>::max();

  explicit suspects(std::uint32_t at_a_time = everybody) : at_a_time_{at_a_time} {}

  bool all() const { return at_a_time_ == everybody; }

  /// What to think of an item of which the witness says this, when `before` items that were sent before it are
  /// unanswered, too.
  mark judge(mark seen, std::uint64_t before) const {
    if (seen != mark::unknown) return seen;
    return before < at_a_time_ ? mark::unknown : mark::interrupted;
  }

private:
  std::uint32_t at_a_time_;
};

}  // namespace fmap::remote
