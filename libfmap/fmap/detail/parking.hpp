// SPDX-License-Identifier: BSD-3-Clause
// The place where a thread that waits for futures parks.
#pragma once

#include <condition_variable>
#include <mutex>

#include <fmap/detail/api.hpp>
#include <fmap/detail/waiting.hpp>

namespace fmap::detail {

/// Where one thread waits to be rung. It may be destroyed as soon as its thread has seen that it was
/// rung: whoever rings touches nothing of it afterwards.
class parking final : public wakeup {
public:
  void ring() noexcept override {
    ring_if([] { return true; });
  }

  /// Calls `enough` under the mutex and rings if it returns true.
  template <class Enough>
  void ring_if(Enough enough) noexcept {
    std::lock_guard guard{mutex_};
    if (!enough()) return;
    mark_rung();
    condition_.notify_one();
  }

  /// Rings a place that the caller keeps from being destroyed: who is woken, perhaps in the middle of
  /// this, then need not wait for the mutex.
  void ring_kept() noexcept {
    {
      std::lock_guard guard{mutex_};
      mark_rung();
    }
    condition_.notify_one();
  }

  /// Calls `enough` under the mutex; what it returns is from now on what rung() says.
  template <class Enough>
  bool check(Enough enough) noexcept {
    std::lock_guard guard{mutex_};
    return rung_ = enough();
  }

  bool rung() const noexcept {
    std::lock_guard guard{mutex_};
    return rung_;
  }

  /// Blocks until it has been rung (true) or the deadline has passed (false).
  bool wait(const deadline& until = {}) {
    std::unique_lock lock{mutex_};
    const auto rung = [this] { return rung_; };
    if (until) return condition_.wait_until(lock, *until, rung);
    condition_.wait(lock, rung);
    return true;
  }

  /// Rings `target` as well from now on, and at once if this was rung before; null: no longer. After a
  /// call nobody touches the previous target.
  void forward_to(wakeup* target) noexcept {
    std::lock_guard guard{mutex_};
    forward_ = target;
    if (rung_ && target != nullptr) target->ring();
  }

private:
  void mark_rung() noexcept {
    rung_ = true;
    if (forward_ != nullptr) forward_->ring();
  }

  mutable std::mutex mutex_;
  std::condition_variable condition_;
  wakeup* forward_ = nullptr;
  bool rung_ = false;
};

/// Waits at `place`, with the helper's help if there is one.
FMAP_API bool wait_at(parking& place, const deadline& until);

}  // namespace fmap::detail
