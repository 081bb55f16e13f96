// SPDX-License-Identifier: BSD-3-Clause
// How many deaths of processes a pool makes good.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>

namespace fmap::remote {

/// Counts the deaths of a pool's processes that no item is to blame for. Thread-safe.
class restart_budget {
public:
  using clock = std::chrono::steady_clock;

  restart_budget(std::size_t restarts, std::chrono::nanoseconds window)
      : restarts_{restarts}, window_{window} {}

  /// One more, now, of a process that was started then; false: that is too many. However rare they are, the same
  /// number in a row before a process was ready is too many as well. Those that die at one moment, for one reason
  /// probably, count as one.
  bool spend(clock::time_point started, bool was_ready, clock::time_point now) {
    std::lock_guard guard{mutex_};
    while (!deaths_.empty() && now - deaths_.front() > window_) deaths_.pop_front();
    if (!last_ || started > *last_ || now - *last_ > moment) {
      last_ = now;
      deaths_.push_back(now);
      if (!was_ready) ++never_ready_;
    }
    return deaths_.size() <= restarts_ && never_ready_ <= restarts_;
  }

  /// A process is ready.
  void ready() {
    std::lock_guard guard{mutex_};
    never_ready_ = 0;
  }

private:
  static constexpr std::chrono::seconds moment{1};

  const std::size_t restarts_;
  const std::chrono::nanoseconds window_;
  std::mutex mutex_;
  std::deque<clock::time_point> deaths_;
  std::optional<clock::time_point> last_;
  std::size_t never_ready_ = 0;
};

}  // namespace fmap::remote
