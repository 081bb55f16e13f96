// SPDX-License-Identifier: BSD-3-Clause
// What a ledger must do, in the most naive way: a map from each index in flight to where it is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <vector>

#include "src/kernel/ledger.hpp"

namespace testing {

using fmap::kernel::casualty;
using fmap::kernel::ledger;
using fmap::kernel::mark;
using fmap::kernel::run_counts;
using fmap::kernel::run_id;
using fmap::kernel::run_limits;
using fmap::kernel::span;
using fmap::kernel::worker_id;

/// Throws, so that a random walk ends at the first deviation.
inline void expect(bool holds, const char* what) {
  if (!holds) throw std::logic_error{what};
}

enum class place { queued, held, ready, handed_out };

struct item_model {
  place where = place::queued;
  worker_id holder = 0;
  std::uint32_t chunk = 0, deaths = 0;
  bool alone = false;
  worker_id not_by = 0;  // queued: where it died
};

struct worker_model {
  std::uint32_t capacity = 1, weight = 1;
  bool is_node = false;
  bool emptying = false;  // a suspect waits for it to hold nothing, or it holds one
};

struct run_model {
  run_limits limits;
  std::uint64_t wanted = 0;                   // tokens
  std::map<std::uint64_t, item_model> items;  // in flight
  std::vector<std::uint64_t> handed_out;      // in this order
  std::uint64_t free = 0, granted = 0, pulled = 0, taken = 0, dropped = 0, next_out = 0;
  std::uint64_t retried = 0, quarantined = 0;
  bool ended = false, stopped = false;

  std::uint64_t count(place p) const {
    return static_cast<std::uint64_t>(std::count_if(
        items.begin(), items.end(), [p](const auto& i) { return i.second.where == p; }));
  }

  /// The item leaves the run without having been taken.
  auto drop(std::map<std::uint64_t, item_model>::iterator i) {
    ++dropped;
    release(1);
    return items.erase(i);
  }

  /// Tokens come back; those that are too many are no more.
  void release(std::uint64_t count) {
    for (; count != 0; --count)
      if (limits.buffersize > wanted)
        --limits.buffersize;
      else
        ++free;
  }

  bool can_hand_out() const {
    if (!limits.ordered) return count(place::ready) != 0;
    auto i = items.find(next_out);
    return i != items.end() && i->second.where == place::ready;
  }

  bool drained() const {
    return granted == 0 && count(place::queued) == 0 && count(place::held) == 0;
  }
};

}  // namespace testing
