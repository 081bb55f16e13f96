// SPDX-License-Identifier: BSD-3-Clause
// How many workers a pool has that may have more than it was made with. Pure: it is told what there is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "src/kernel/ledger_names.hpp"
#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

/// The number of workers at rest, the most that may be added to that, and how long one may be idle that is not needed.
struct adaptive_limits {
  std::uint32_t least = 1, most = 0;
  clock::duration idle_timeout{};
};

/// A pool at one moment.
struct adaptive_scene {
  std::uint32_t workers = 1;  ///< that there may be
  std::uint32_t idle = 0;     ///< workers that sleep and hold nothing
  std::uint32_t busy = 0;     ///< workers that hold items
  bool items_wait = false;
  double idle_processors = 0;  ///< lately, on average
};

/// More workers are worth while where items wait, all workers hold some, and processors are idle: then the workers
/// sleep inside of their items. Which of them are too many shows in time: as many as have been idle at every look.
///
///   off: there may be no more than there are at rest
///   dormant --items wait--> growing, a look every 5 ms, and after looks in vain up to every 50 ms
///   growing --none wait, or there are as many as there may be--> shrinking, some looks in each idle_timeout
///   shrinking --as few workers as at rest--> dormant
class adaptation {
public:
  void allow(const adaptive_limits& l) { limits_ = l; }

  /// There are to be so many at rest.
  void resize(std::uint32_t workers) {
    limits_.least = workers;
    soon_ = false;
    since_.reset();
  }

  /// Items wait. True: somebody is to look, soon.
  bool want() {
    if (limits_.most <= limits_.least || soon_) return false;
    pause_ = tuning::adapt_look;
    return soon_ = wanted_ = true;
  }

  /// Whether it is wanted, whenever the next look was to come. Asked for once.
  bool take_wanted() { return std::exchange(wanted_, false); }

  /// Returns how many workers there may be from now on. One more or one less changes the scene for the next look.
  std::uint32_t look(const adaptive_scene& s, clock::time_point now) {
    soon_ = s.items_wait;
    if (s.items_wait) {
      since_.reset();
      return s.workers + (grows(s) ? 1 : 0);
    }
    if (!since_) {
      since_ = now;
      unneeded_ = s.workers;
    }
    unneeded_ = std::min(unneeded_, s.idle);
    if (now - *since_ < limits_.idle_timeout) return s.workers;
    since_.reset();
    return std::max(s.workers - std::min(s.workers, unneeded_), limits_.least);
  }

  /// When to look again, with so many workers; 0: when it is wanted.
  clock::duration pause(std::uint32_t workers) {
    if (soon_ && workers < limits_.most) return pause_;
    if (workers > limits_.least)
      return std::clamp<clock::duration>(limits_.idle_timeout / tuning::idle_looks,
                                         tuning::adapt_look, tuning::longest_look);
    soon_ = false;
    return {};
  }

private:
  /// Items wait. To look costs time, too: while the processors are busy, looks become rare.
  bool grows(const adaptive_scene& s) {
    if (s.workers >= limits_.most) return false;
    if (s.idle_processors < tuning::idle_enough) {
      pause_ = std::min<clock::duration>(2 * pause_, tuning::idle_window);
      return false;
    }
    pause_ = tuning::adapt_look;
    return s.busy >= s.workers;
  }

  adaptive_limits limits_;
  clock::duration pause_ = tuning::adapt_look;
  bool soon_ = false;                       // items wait, and a look is to come for that
  bool wanted_ = false;                     // whoever looks does not know yet
  std::optional<clock::time_point> since_;  // nothing has waited, and workers are counted
  std::uint32_t unneeded_ = 0;              // that slept whenever it was looked
};

}  // namespace fmap::kernel
