// SPDX-License-Identifier: BSD-3-Clause
// A process that outlives fmap to end its jobs, should fmap be killed.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>

#include <sys/types.h>

namespace fmap::tool {

/// Holds the process groups of the jobs that run, by slot, in memory that it shares with the guard.
class guard {
public:
  using seat = std::atomic<pid_t>;

  /// Starts the guard; to be called while the process has one thread. Throws std::system_error.
  explicit guard(std::size_t slots);
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;

  /// Ends the guard, which signals those in its seats.
  ~guard();

  seat& of(std::size_t slot) { return seats_[slot - 1]; }
  std::size_t size() const { return seats_.size(); }

private:
  std::span<seat> seats_;
  int alive_ = -1;  // the guard sees its end when we die
  pid_t process_ = -1;
};

}  // namespace fmap::tool
