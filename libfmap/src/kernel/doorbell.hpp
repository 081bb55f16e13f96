// SPDX-License-Identifier: BSD-3-Clause
// How somebody who has gone idle is told that there is something to take.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include <fmap/detail/parking.hpp>

namespace fmap::kernel {

using detail::deadline;

/// Wakes one party: an actor by a small message, a thread through a condition. Carries no data: what
/// there is to do is found in the shared mailbox. Ringing more often than needed is harmless.
class doorbell : public detail::wakeup {
public:
  virtual ~doorbell() = default;
};

using doorbell_ptr = std::shared_ptr<doorbell>;

/// Calls what needs memory until there is some: who is not rung may sleep for ever. Others end what they do
/// meanwhile, and free theirs. After `at_most` calls, a millisecond apart, it gives up and throws.
template <class F>
void patiently(F f, int at_most = 60'000) {
  for (;;) {
    try {
      return f();
    } catch (const std::bad_alloc&) {
      if (--at_most <= 0) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

/// Rings another one, once; also if it was rung before that was there.
class one_time_bell final : public doorbell {
public:
  void ring() noexcept override {
    doorbell_ptr to;
    {
      std::lock_guard guard{mutex_};
      rung_ = true;
      to = std::exchange(to_, nullptr);
    }
    if (to) to->ring();
  }
  void sends_on(doorbell_ptr to) {
    {
      std::lock_guard guard{mutex_};
      if (!rung_) to_.swap(to);
    }
    if (to) to->ring();
  }

private:
  std::mutex mutex_;
  bool rung_ = false;
  doorbell_ptr to_;
};

/// The doorbell of a thread that waits.
class parker final : public doorbell {
public:
  void ring() noexcept override { place_.ring_kept(); }

  /// Returns once the bell has rung since the last wait: true, or false at the deadline. A pool's worker
  /// does other work meanwhile.
  bool wait(const deadline& until = {}) { return reset(detail::wait_at(place_, until)); }

  /// The same without helping anybody.
  bool wait_alone(const deadline& until = {}) { return reset(place_.wait(until)); }

  /// Whether the next wait will return at once.
  bool rung() const { return place_.rung(); }

private:
  bool reset(bool rung) {
    if (rung) place_.check([] { return false; });
    return rung;
  }

  detail::parking place_;
};

}  // namespace fmap::kernel
