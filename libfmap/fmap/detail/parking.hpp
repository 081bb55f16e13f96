// SPDX-License-Identifier: BSD-3-Clause
// How a thread waits for futures: timeouts, the place where it parks, and who may help meanwhile.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include <fmap/detail/duration.hpp>

namespace fmap::detail {

/// Tells pools apart; never dereferenced.
using pool_key = const void*;

/// When a wait ends at the latest; empty: never.
using deadline = std::optional<std::chrono::steady_clock::time_point>;

/// A timeout as a caller gives it: any duration, counted from here; none means forever. Throws
/// `std::invalid_argument` if it is negative.
class time_limit {
public:
  time_limit() = default;

  template <class Rep, class Period>
  time_limit(
      const std::chrono::duration<Rep, Period>& timeout) {  // implicit: 100ms is a time_limit
    const std::chrono::duration<double> seconds = timeout;
    if (!(seconds.count() >= 0)) throw std::invalid_argument{"fmap: timeout is negative"};
    using namespace std::chrono;
    if (seconds.count() == 0)
      until_ = only_look;
    else if (seconds < hours{24 * 365 * 100})
      until_ = steady_clock::now() + duration_cast<nanoseconds>(timeout);
  }

  const deadline& until() const noexcept { return until_; }

  /// The deadline that stands for a timeout of 0.
  static constexpr auto only_look = std::chrono::steady_clock::time_point::min();

private:
  deadline until_;
};

/// Something that can be rung, from any thread.
class wakeup {
public:
  virtual void ring() noexcept = 0;

protected:
  ~wakeup() = default;
};

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
    rung_ = true;
    if (forward_ != nullptr) forward_->ring();
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
  mutable std::mutex mutex_;
  std::condition_variable condition_;
  wakeup* forward_ = nullptr;
  bool rung_ = false;
};

/// What a worker thread does instead of blocking when a task of its own waits for futures.
class helper {
public:
  /// Called by get(), wait(), exception(), fmap::wait() and as_completed() in their thread. To do other
  /// work until `place` has been rung (returns true) or the deadline has passed (false); it sleeps on
  /// something of its own that `place.forward_to()` rings. What it throws (`would_deadlock`) ends the
  /// wait and reaches the caller.
  virtual bool help_until(parking& place, const deadline& until) = 0;

  /// Whether this is a worker of that pool.
  virtual bool works_for(pool_key) const = 0;

protected:
  ~helper() = default;
};

/// The helper of this thread; null (the default): block. To be set and reset by its worker.
extern constinit thread_local helper* current_helper;

/// Waits at `place`, with the helper's help if there is one.
bool wait_at(parking& place, const deadline& until);

}  // namespace fmap::detail
