// SPDX-License-Identifier: BSD-3-Clause
// What a source, a consumer or a worker is doing, as far as the mailbox knows.
#pragma once

#include <cstdint>

#include "src/kernel/doorbell.hpp"

namespace fmap::kernel {

enum class presence : std::uint8_t {
  away,     ///< will not look here until it says so; nobody counts on it
  at_work,  ///< inside user code, or inside the mailbox: will look by itself
  looking,  ///< between two looks: sees a flag
  asleep,   ///< must be called
  called    ///< has been rung, is on its way
};

/// A run's source or its consumer.
struct party {
  presence where = presence::away;
  doorbell_ptr bell;

  bool asleep() const { return where == presence::asleep; }
  bool looking() const { return where == presence::looking; }
};

}  // namespace fmap::kernel
