// SPDX-License-Identifier: BSD-3-Clause
// How many of a pool's processes work at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <vector>

#include "actors/kernel_names.hpp"
#include "src/kernel/doorbell.hpp"

namespace fmap::actors {

/// One seat for each worker of the pool. A process that takes the place of one that is about to finish
/// its last items is started beforehand, and waits here until that one gets up. Thread-safe.
class seats {
public:
  explicit seats(std::uint32_t count) : free_{count} {}

  /// False: there is none; the bell will ring when it is worth asking again.
  bool sit(const doorbell_ptr& bell) {
    std::lock_guard guard{mutex_};
    std::erase(waiting_, bell);
    if (free_ == 0) {
      waiting_.push_back(bell);
      return false;
    }
    --free_;
    return true;
  }

  void get_up() {
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
  std::uint32_t free_;
  std::vector<doorbell_ptr> waiting_;
};

}  // namespace fmap::actors
