// SPDX-License-Identifier: BSD-3-Clause
// One run in the ledger: its tokens, and what of it is queued or ready.
#pragma once

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>

#include "src/kernel/batch_size.hpp"
#include "src/kernel/cost.hpp"
#include "src/kernel/fair_share.hpp"
#include "src/kernel/span.hpp"
#include "src/kernel/span_queue.hpp"

namespace fmap::kernel {

/// What is fixed about a run when it opens.
struct run_limits {
  std::uint64_t buffersize = 1;    ///< number of tokens
  std::uint64_t widest = 0;        ///< if not 0: the buffersize is automatic, and may grow to this
  std::uint32_t chunksize = 0;     ///< items per batch; 0: sized by measured cost
  bool whole = false;              ///< one call for a batch: the larger, the better
  std::uint32_t threads = 1;       ///< that there will be at least, where that matters
  std::uint32_t max_attempts = 3;  ///< executions that may end in their worker's death
  bool ordered = false;            ///< outcomes become ready in input order
  std::chrono::nanoseconds expected_cost{};  ///< of an item, until one is measured; 0: unknown
  /// The sink of a run without a source is rung for so much of the workers' time; 0: for whatever is ready.
  std::chrono::nanoseconds tell_after{};
  std::chrono::nanoseconds item_timeout{};  ///< 0: none. For those who run items; not the ledger's
};

/// Counts of one run, all taken at the same moment.
struct run_counts {
  std::uint64_t pulled = 0, queued = 0, held = 0, waiting = 0, ready = 0, taken = 0, dropped = 0;
  std::uint64_t free = 0, granted = 0;  ///< tokens nobody uses; tokens the source has yet to use
  std::uint64_t peak_in_flight = 0, retried = 0, quarantined = 0;
};

/// A queued item that runs alone, not by the worker where it died if there is another.
struct suspect {
  span item;
  worker_id not_by = 0;
};

/// What is known of one run. Keeps its own counts right; the totals are the ledger's.
struct account {
  run_id id = 0;
  bool ended = false, stopped = false;
  run_limits limits;
  std::uint64_t wanted = 1;  // the buffersize that is asked for; a larger one shrinks to it
  run_counts counts;
  used_time used;
  cost_estimate cost;
  batch_growth growing;
  span_queue queue;                       // sorted by index
  std::deque<suspect> suspects;           // sorted by index
  std::map<std::uint64_t, span> waiting;  // index -> an item that has failed, until it is resumed
  span_queue ready;                       // in order of completion, or by index if limits.ordered
  std::uint64_t next_out = 0;             // ordered: the index that must be handed out next
  std::map<std::uint64_t, std::uint32_t>
      deaths;       // index -> executions that ended in a death, or may have
  span handed_out;  // last

  std::uint64_t in_flight() const {
    return counts.queued + counts.held + counts.waiting + counts.ready;
  }
  bool nothing_queued() const { return queue.empty() && suspects.empty(); }

  bool has_ready() const {
    return !ready.empty() && (!limits.ordered || ready.front().first == next_out);
  }

  /// What was measured; 0 while that is nothing.
  double measured_cost() const { return cost.measured() ? cost.each() : 0; }

  /// What an item is charged when it is handed out.
  double charge() const {
    const double each = cost.each() > 0 ? cost.each() : tuning::assumed_cost;
    return cost.measured() ? each : std::min(each, tuning::assumed_cost);
  }

  void make_ready(const span& s) {
    counts.ready += s.count;
    if (limits.ordered)
      ready.insert(s);
    else
      ready.append(s);
  }

  void drop(std::uint64_t count) {
    counts.dropped += count;
    release(count);
  }

  /// Tokens come back. Those that are too many are no more.
  void release(std::uint64_t count) {
    counts.free += count;
    if (limits.buffersize <= wanted) return;
    const std::uint64_t n = std::min(counts.free, limits.buffersize - wanted);
    counts.free -= n;
    limits.buffersize -= n;
  }

  void check() const {
    assert(counts.free + counts.granted + in_flight() == limits.buffersize && "invariant 1");
    assert(counts.pulled == in_flight() + counts.taken + counts.dropped && "invariant 2");
  }
};

}  // namespace fmap::kernel
