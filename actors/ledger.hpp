// SPDX-License-Identifier: BSD-3-Clause
// The ledger: which item of which run is where, and who gets what next.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <unordered_map>
#include <vector>

namespace fmap::actors {

using run_id =
    std::uint64_t;  // never reused: 0 means any run, and some runs last as long as their pool
using worker_id = std::uint32_t;

/// A run without a bound of its own (single tasks) has this many tokens.
inline constexpr std::uint64_t unbounded = std::numeric_limits<std::uint64_t>::max() / 2;

/// Some consecutive items of one run that lie side by side in one chunk of storage. What becomes of
/// them is decided for the span as a whole or for parts of it; an item keeps its index for good.
struct span {
  run_id run = 0;
  std::uint32_t chunk = 0;  ///< where the items are stored; opaque to the ledger
  std::uint64_t first = 0;  ///< index of the first item
  std::uint32_t count = 0;  ///< 0: no span at all
  bool alone = false;       ///< a suspect: travels in a batch of its own
  double charge = 0;        ///< workers' time in ns that its run was charged for each item held

  std::uint64_t end() const { return first + count; }
  explicit operator bool() const { return count != 0; }
};

/// What is fixed about a run when it opens.
struct run_limits {
  std::uint64_t buffersize = 1;    ///< number of tokens
  std::uint64_t widest = 0;        ///< if not 0: the buffersize is automatic, and may grow to this
  std::uint32_t chunksize = 0;     ///< items per batch; 0: sized by measured cost
  std::uint32_t max_attempts = 3;  ///< executions that may end in their worker's death
  bool ordered = false;            ///< outcomes become ready in input order
  std::chrono::nanoseconds expected_cost{};  ///< of an item, until one is measured; 0: unknown
  /// The sink of a run without a source is rung for so much of the workers' time; 0: for whatever is ready.
  std::chrono::nanoseconds tell_after{};
  std::chrono::nanoseconds item_timeout{};  ///< 0: none. For those who run items; not the ledger's
};

/// What a lost worker had done with an item it held.
enum class mark : std::uint8_t {
  waiting,      ///< not begun
  running,      ///< to blame
  finished,     ///< but its outcome has not arrived
  interrupted,  ///< begun, but that its worker was lost is not its doing
  unknown,      ///< nobody saw
  expired       ///< ran out of its time: ends here
};

/// An item that ends with its worker's death: its outcome is an error.
struct casualty {
  enum class reason : std::uint8_t {
    quarantined,  ///< too many executions ended in a death
    result_lost,  ///< it had (or may have) been executed, and may not be again
    expired
  };

  span item;               ///< one item
  std::uint32_t attempts;  ///< executions that have begun
  reason why;
};

/// Counts of one run, all taken at the same moment.
struct run_counts {
  std::uint64_t pulled = 0, queued = 0, held = 0, ready = 0, taken = 0, dropped = 0;
  std::uint64_t free = 0, granted = 0;  ///< tokens nobody uses; tokens the source has yet to use
  std::uint64_t peak_in_flight = 0, retried = 0, quarantined = 0;
};

/// All accounting of a pool, and nothing else: ids and counts go in, decisions come out. No thread,
/// no lock, no clock, no user value. Not thread-safe; the shared mailbox visits it under its mutex.
///
/// Invariants, asserted after every call in debug builds:
///  1. free tokens (those granted to the source included) + items in flight == buffersize.
///  2. Every pulled index is in exactly one place: queued, held by exactly one worker, ready, taken,
///     or dropped after a stop.
///  3. Exactly one outcome per pulled index becomes ready, whatever dies, repeats or arrives late.
///  4. No worker holds more than its capacity.
///  5. An item is executed at most max_attempts times by workers that then died while they held it, other than for
///     another one's sake. What had not finished is blamed at once. What had may be innocent: when that has happened
///     to it twice, or may happen to it only once more, it runs alone, and is to blame if it happens again.
///  6. After end or stop a run drains to zero items in flight, and close() leaves nothing of it.
class ledger {
public:
  using duration = std::chrono::nanoseconds;

  // -- workers ----------------------------------------------------------------

  /// Adds a worker that may hold `capacity` items. It counts `weight` times (its threads) when queued
  /// items are shared out, and its batches are sized to last about `batch_time`. A worker that is not
  /// asked for each batch in turn may hold `depth` such batches at a time. Ids are never reused.
  worker_id add_worker(std::uint32_t capacity, std::uint32_t weight = 1,
                       duration batch_time = default_batch_time, std::uint32_t depth = 0);

  /// Removes a worker and decides on each item it held; `what` tells how far it got with an item.
  /// Returns the items that end here; the others are queued again. Those that end are ready, or, if
  /// there is an `heir`, held by that worker, which must report them finished.
  std::vector<casualty> remove_worker(worker_id,
                                      const std::function<mark(run_id, std::uint64_t)>& what,
                                      worker_id heir = 0);

  /// Whether a worker gets nothing before something that it holds is done.
  bool full(worker_id) const;

  /// Whether take() would give it something now.
  bool wants(worker_id) const;

  // -- upstream ---------------------------------------------------------------

  run_id open(const run_limits&);

  /// Hands up to `wanted` free tokens to the source.
  std::uint64_t grant(run_id, std::uint64_t wanted);

  /// The source used `count` granted tokens: the next `count` indices are queued, stored in `chunk`.
  void pulled(run_id, std::uint32_t chunk, std::uint32_t count);

  /// The source is done: granted tokens come back and none are granted any more.
  void end(run_id);

  /// Adds tokens until there are `buffersize`; a run is never narrowed.
  void widen(run_id, std::uint64_t buffersize);

  // -- workers' visits --------------------------------------------------------

  /// The next batch for a worker: of the run that has had the least of the workers' time, as many
  /// items as last about the worker's batch time, at most a fair share of what is queued, or what is not
  /// worth sharing. If `only` is given, of that run. A worker with a `depth` gets nothing of too few tiny
  /// items while more of their run are under way, unless it wants `whatever` there is.
  span take(worker_id, run_id only = 0, bool whatever = false);

  /// A worker finished these items. What it does not hold (late, repeated, unknown) is ignored. The time
  /// that they took is their run's, and `teaches` what an item costs if it was measured well.
  /// Returns how many became ready (or were dropped, in a stopped run).
  std::uint32_t finished(worker_id, run_id, std::uint64_t first, std::uint32_t count, duration took,
                         bool teaches = true);

  /// Nothing is known of the items' cost any more.
  void doubt(run_id);

  /// Workers have spent this much time on a run other than on its items.
  void charge(run_id, duration took);

  /// These held items have not begun and go back to the queue; in a stopped run they are dropped.
  void give_back(worker_id, run_id, std::uint64_t first, std::uint32_t count);

  /// These held items are nobody's business any more; their tokens are free.
  void drop(worker_id, run_id, std::uint64_t first, std::uint32_t count);

  // -- downstream -------------------------------------------------------------

  /// Hands the sink the next outcomes it may give out; they stay `ready` until they are taken.
  span next_ready(run_id);

  /// The consumer took `count` outcomes: their tokens are free again.
  void taken(run_id, std::uint64_t count);

  /// Nothing more is granted; what is queued or ready is dropped now, what is held when it finishes.
  void stop(run_id);

  /// Forgets a run that has drained.
  void close(run_id);

  // -- questions --------------------------------------------------------------

  bool knows(run_id) const;
  bool stopped(run_id) const;
  bool has_ready(run_id) const;
  run_counts counts(run_id) const;
  std::uint64_t buffersize(run_id) const;
  std::uint64_t queued() const { return queued_; }  ///< over all runs
  std::uint64_t held() const { return held_; }      ///< over all runs
  duration queued_time() const;  ///< what is queued will take one worker; max() if it is not known
  std::size_t workers() const { return workers_.size(); }
  bool drained(run_id) const;   ///< no token granted, nothing queued or held
  duration cost(run_id) const;  ///< time per item, measured or else expected; 0 while unknown
  bool measured(run_id) const;  ///< whether that is more than an expectation
  std::uint32_t attempts(run_id,
                         std::uint64_t index) const;  ///< executions begun so far, at least 1
  const std::vector<span>& held_by(worker_id) const;

  /// Checks invariants 1, 2 and 4 index by index; for tests (slow).
  bool audit() const;

  static constexpr duration default_batch_time = std::chrono::microseconds{75};

private:
  struct run_state {
    run_id id = 0;
    run_limits limits;
    run_counts counts;
    std::deque<span> queue;      // sorted by index
    std::deque<span> ready;      // in order of completion, or by index if limits.ordered
    std::uint64_t next_out = 0;  // ordered: the index that must be handed out next
    std::map<std::uint64_t, std::uint32_t> deaths;  // index -> executions that ended in a death
    span handed_out;                                // last
    bool ended = false, stopped = false;
    double vtime = 0;                    // workers' time used so far, in ns
    double cost_ns = 0, cost_items = 0;  // recent time and items, decaying
    std::uint32_t growth = 1;  // size limit of the next batch while costs are being learnt

    std::uint64_t in_flight() const { return counts.queued + counts.held + counts.ready; }
    bool measured() const { return cost_items > 0; }
    double cost() const;  // of an item in ns, measured or else expected; 0 while unknown
  };

  struct worker_state {
    std::uint32_t capacity = 1, weight = 1;
    duration batch_time{};
    std::uint32_t depth = 0;
    std::uint32_t items = 0;
    std::vector<span> held;
  };

  run_state* find(run_id);
  const run_state* find(run_id) const;
  worker_state* find_worker(worker_id);
  bool may_take(const run_state&, const worker_state&) const;
  bool worth_a_message(const run_state&, const worker_state&) const;
  bool wants(const run_state&, const worker_state&, bool whatever) const;
  std::uint32_t batch_size(const run_state&, const worker_state&) const;
  std::uint32_t room(const run_state&, const worker_state&) const;
  std::uint32_t release(worker_state&, run_state&, std::uint64_t first, std::uint32_t count,
                        std::vector<span>& pieces);
  void enqueue(run_state&, const span&);
  void make_ready(run_state&, const span&);
  void learn(run_state&, std::uint32_t count, duration took);
  void assert_invariants(const run_state&) const;

  std::unordered_map<run_id, run_state> runs_;
  std::unordered_map<worker_id, worker_state> workers_;
  mutable const run_state* recent_ = nullptr;  // the run that was looked up last
  std::vector<run_state*> runnable_;           // runs with something queued
  std::vector<span> scratch_;
  std::uint64_t queued_ = 0, held_ = 0;
  std::uint64_t weights_ = 0;
  double vclock_ = 0;  // vtime of the run served last; newcomers start here
  run_id last_run_ = 0;
  worker_id last_worker_ = 0;
};

}  // namespace fmap::actors
