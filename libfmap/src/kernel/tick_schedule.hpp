// SPDX-License-Identifier: BSD-3-Clause
// When the tick is wanted, due, rare and over. Pure: it is told the time.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "src/kernel/ledger_names.hpp"
#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

/// The tick sets free what is withheld. It runs while anything is, and workers that come by may do its work.
///
///   off --something is put off--> running, every half millisecond
///   running --workers do its work--> running, half as often each time, up to the longest pause
///   running, rare --something comes that relies on it--> running, every half millisecond
///   running --nothing is put off any more--> off
class tick_schedule {
public:
  using pause = std::chrono::microseconds;

  /// Something is put off. True: the supervisor is to be rung.
  bool want() {
    wanted_lately_ = true;
    if (std::exchange(running_, true)) return false;
    return begin_anew();
  }

  /// Lets the next tick come soon, if it is far away. True: the supervisor is to be rung.
  bool hasten() { return rare() && begin_anew(); }

  bool running() const { return running_; }
  bool rare() const { return running_ && next_ > tuning::tick_rare; }

  /// Nobody has done the tick's work for a while.
  bool due_in_passing(clock::time_point now) const {
    return running_ && now - std::max(passed_at_, ticked_at_) >= tuning::tick;
  }

  /// Somebody has done the tick's work.
  void passed(clock::time_point now) { passed_at_ = now; }

  /// The tick comes. It may become rare only if nothing relies on it.
  void ticked(clock::time_point now, bool relied_on) {
    const bool others_do_it = passed_at_ > std::exchange(ticked_at_, now);
    const pause longest = relied_on ? tuning::tick_rare : tuning::tick_longest;
    next_ = others_do_it ? std::min(2 * next_, longest) : tuning::tick;
  }

  /// The tick has done its work; `more`: something will have waited long enough soon. Returns when to tick again;
  /// 0: when it is wanted.
  pause go_on(bool more) {
    running_ = std::exchange(wanted_lately_, false) || more;
    return running_ ? next_ : pause{0};
  }

  /// Whether the next tick is to come in half a millisecond, whenever it was to come. Asked for once.
  bool take_wanted() { return std::exchange(wanted_, false); }

private:
  bool begin_anew() {
    next_ = tuning::tick;
    return wanted_ = true;
  }

  bool running_ = false, wanted_ = false;
  bool wanted_lately_ = false;  // since the last tick
  pause next_ = tuning::tick;
  clock::time_point passed_at_{}, ticked_at_{};
};

}  // namespace fmap::kernel
