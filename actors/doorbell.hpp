// SPDX-License-Identifier: BSD-3-Clause
// How somebody who has gone idle is told that there is something to take.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace fmap::actors {

/// Wakes one party: an actor by a small message, a thread through a condition. Carries no data: what
/// there is to do is found in the shared mailbox. Ringing more often than needed is harmless.
class doorbell {
public:
  virtual ~doorbell() = default;
  virtual void ring() noexcept = 0;
};

using doorbell_ptr = std::shared_ptr<doorbell>;
using deadline = std::optional<std::chrono::steady_clock::time_point>;

/// The doorbell of a thread that waits.
class parker final : public doorbell {
public:
  void ring() noexcept override {
    {
      std::lock_guard guard{mutex_};
      rung_ = true;
    }
    condition_.notify_one();
  }

  /// Returns once the bell has rung since the last wait: true, or false at the deadline.
  bool wait(const deadline& until = {}) {
    std::unique_lock lock{mutex_};
    const auto rung = [this] { return rung_; };
    if (until)
      condition_.wait_until(lock, *until, rung);
    else
      condition_.wait(lock, rung);
    return std::exchange(rung_, false);
  }

private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool rung_ = false;
};

}  // namespace fmap::actors
