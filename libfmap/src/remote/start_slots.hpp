// SPDX-License-Identifier: BSD-3-Clause
// How many of a pool's processes work at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <vector>

#include "src/kernel/doorbell.hpp"

namespace fmap::remote {

using kernel::doorbell_ptr;

/// A semaphore with bells: one slot for each worker that the pool may have now. A process that is to replace one which
/// is about to finish its last items is started beforehand, and waits here until that one releases its slot.
/// Thread-safe.
class start_slots {
public:
  /// `count`: as many as there are now. False: none is free; the bell will ring when one is released.
  bool acquire(const doorbell_ptr& bell, std::uint32_t count) {
    std::lock_guard guard{mutex_};
    std::erase(waiting_, bell);
    if (taken_ >= count) {
      waiting_.push_back(bell);
      return false;
    }
    ++taken_;
    return true;
  }

  void release() {
    std::vector<doorbell_ptr> woken;
    {
      std::lock_guard guard{mutex_};
      --taken_;
      woken.swap(waiting_);
    }
    for (const auto& bell : woken) bell->ring();
  }

  /// Whoever waited does so no more.
  void forget(const doorbell_ptr& bell) {
    std::lock_guard guard{mutex_};
    std::erase(waiting_, bell);
  }

private:
  std::mutex mutex_;
  std::uint32_t taken_ = 0;
  std::vector<doorbell_ptr> waiting_;
};

}  // namespace fmap::remote
