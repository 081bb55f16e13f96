// SPDX-License-Identifier: BSD-3-Clause
// How many of a pool's processes work at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "src/kernel/doorbell.hpp"

namespace fmap::remote {

using kernel::doorbell_ptr;

/// A semaphore with bells: one slot for each worker of the pool. A process that is to replace one which is about to
/// finish its last items is started beforehand, and waits here until that one releases its slot. Thread-safe.
class start_slots {
public:
  explicit start_slots(std::uint32_t count) : count_{count}, free_{count} {}

  /// There are so many from now on; of those that are taken the surplus goes as they are released.
  void resize(std::uint32_t count) {
    std::vector<doorbell_ptr> woken;
    {
      std::lock_guard guard{mutex_};
      free_ += std::int64_t{count} - std::exchange(count_, count);
      woken.swap(waiting_);
    }
    for (const auto& bell : woken) bell->ring();
  }

  /// False: there is none; the bell will ring when it is worth asking again.
  bool acquire(const doorbell_ptr& bell) {
    std::lock_guard guard{mutex_};
    std::erase(waiting_, bell);
    if (free_ <= 0) {
      waiting_.push_back(bell);
      return false;
    }
    --free_;
    return true;
  }

  void release() {
    std::vector<doorbell_ptr> woken;
    {
      std::lock_guard guard{mutex_};
      ++free_;
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
  std::uint32_t count_;
  std::int64_t free_;  // less than 0: so many are to be released before one is to be had
  std::vector<doorbell_ptr> waiting_;
};

}  // namespace fmap::remote
