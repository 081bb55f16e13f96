// SPDX-License-Identifier: BSD-3-Clause
// Time that passes while somebody watches.
#pragma once

#include <algorithm>
#include <chrono>

namespace fmap::remote {

/// A clock that stands still while its watcher does: a program that was stopped (Ctrl-Z), or a machine that slept, must
/// not hold that against what it watches. Not thread-safe.
class watched_time {
public:
  using clock = std::chrono::steady_clock;
  using duration = std::chrono::nanoseconds;

  explicit watched_time(clock::time_point now = clock::now()) : looked_{now} {}

  /// The watcher looks, as it does every `interval` at least. Of a longer time not more than that counts, as nobody
  /// knows what became of the rest; of a much longer one nothing.
  void look(clock::time_point now, duration interval) {
    const duration passed = now - looked_;
    looked_ = now;
    if (passed <= interval + long_absence) now_ += std::min(passed, interval);
  }

  /// What has passed so far.
  duration now() const noexcept { return now_; }

private:
  /// A thread on a busy machine may have to wait for its turn. Somebody who types `fg` takes longer.
  static constexpr std::chrono::milliseconds long_absence{250};

  clock::time_point looked_;
  duration now_{};
};

}  // namespace fmap::remote
