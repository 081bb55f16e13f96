// SPDX-License-Identifier: BSD-3-Clause
// How a job is ended: SIGTERM to its group, then SIGKILL, then its outputs are given up.
#pragma once

#include <chrono>
#include <optional>

namespace fmap::tool {

using clock = std::chrono::steady_clock;

/// What is done and when the next is due. Pure: the caller signals and closes.
class ladder {
public:
  enum class step { none, terminate, kill, give_up };

  /// Whether it has been begun.
  bool begun() const { return next_ != step::terminate; }

  /// Begins, or goes on to SIGKILL at once if `kill`. What is to be done now, and from `due()` on the next.
  step begin(clock::time_point now, clock::duration kill_after, bool kill = false) {
    if (kill) {
      if (next_ == step::give_up || next_ == step::none) return step::none;
      next_ = step::give_up;
      due_ = now + last_wait;
      return step::kill;
    }
    if (begun()) return step::none;
    next_ = step::kill;
    due_ = now + kill_after;
    return step::terminate;
  }

  /// What is to be done at `now`, if something is due.
  step pass(clock::time_point now) {
    if (!due_ || now < *due_) return step::none;
    if (next_ == step::kill) {
      next_ = step::give_up;
      due_ = now + last_wait;
      return step::kill;
    }
    due_.reset();
    next_ = step::none;
    return step::give_up;
  }

  std::optional<clock::time_point> due() const { return due_; }

private:
  static constexpr std::chrono::seconds last_wait{2};

  step next_ = step::terminate;
  std::optional<clock::time_point> due_;
};

}  // namespace fmap::tool
