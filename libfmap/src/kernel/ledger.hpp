// SPDX-License-Identifier: BSD-3-Clause
// The ledger: which item of which run is where, and who gets what next.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "src/kernel/held_spans.hpp"
#include "src/kernel/run_book.hpp"
#include "src/kernel/verdict.hpp"

namespace fmap::kernel {

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

/// So many items that a worker has not begun, but another one could begin now.
struct recall {
  worker_id from = 0;
  std::uint32_t count = 0;
};

/// All accounting of a pool, and nothing else: ids and counts go in, decisions come out. No thread,
/// no lock, no clock, no user value. Not thread-safe; the shared mailbox visits it under its mutex. The tokens and
/// outcomes of each run are its base's, the run_book; who holds what is told here.
///
/// What speaks of nodes (is_node, hold, recall, confirmed) is for workers on other machines.
///
/// Invariants, asserted after every call in debug builds:
///  1. free tokens (those granted to the source included) + items in flight == buffersize.
///  2. Every pulled index is in exactly one place: queued, held by exactly one worker, waiting to be tried again, ready,
///     taken, or dropped after a stop.
///  3. Exactly one outcome per pulled index becomes ready, whatever dies, repeats or arrives late.
///  4. No worker holds more than its capacity.
///  5. An item is executed at most max_attempts times by workers that then died while they held it, other than for
///     another one's sake. What had not finished is blamed at once. What had may be innocent: when that has happened
///     to it twice, or may happen to it only once more, it runs alone, and is to blame if it happens again.
///  6. After end or stop a run drains to zero items in flight, and close() leaves nothing of it.
///  7. Of the workers that hold something at most as many are not topped up as suspects wait for one that holds nothing.
///  8. A stopped run has nothing on a node.
class ledger : public run_book {
public:
  // -- workers ----------------------------------------------------------------

  worker_id add_worker(const worker_shape&);

  /// Adds a worker that may hold `capacity` items. It counts `weight` times (its threads) when queued
  /// items are shared out, and the batches of each thread are sized to last about `batch_time`. A worker that
  /// is not asked for each batch in turn may hold `depth` such batches at a time. Ids are never reused.
  worker_id add_worker(std::uint32_t capacity, std::uint32_t weight = 1,
                       duration batch_time = default_batch_time, std::uint32_t depth = 0);

  /// From now on it holds work for so long for each of its threads, besides what they execute; see hold_for().
  void set_hold(worker_id, duration);

  /// Removes a worker and decides on each item it held; `what` tells how far it got with an item, and without it
  /// nothing had begun. Returns the items that end here; the others are queued again. Those that end are ready,
  /// or, if there is an `heir`, held by that worker, which must report them finished.
  std::vector<casualty> remove_worker(worker_id,
                                      const std::function<mark(run_id, std::uint64_t)>& what = {},
                                      worker_id heir = 0);

  /// An item died with the process that ran it, but the worker that holds it lives. As above; if it does not end here
  /// it is queued again for another worker, if there is one.
  std::optional<casualty> died(worker_id, run_id, std::uint64_t index, mark, worker_id heir = 0);

  /// Whether a worker gets nothing before something that it holds is done.
  bool full(worker_id) const;

  /// Whether take() would give it something now.
  bool wants(worker_id, bool whatever = false) const;

  // -- workers' visits --------------------------------------------------------

  /// The next batch for a worker: of the run that has had the least of the workers' time, as many
  /// items as last about the worker's batch time, at most a fair share of what is queued, or what is not
  /// worth sharing. If `only` is given, of that run. A worker that is not asked for each batch in turn gets nothing
  /// of too few tiny items while more of their run are under way, unless it wants `whatever` there is.
  span take(worker_id, run_id only = 0, bool whatever = false);

  /// A worker finished these items. What it does not hold (late, repeated, unknown) is ignored. The time
  /// that they took is their run's, and `teaches` what an item costs if it was measured well.
  /// Returns how many became ready (or were dropped, in a stopped run).
  std::uint32_t finished(worker_id, run_id, std::uint64_t first, std::uint32_t count, duration took,
                         bool teaches = true);

  /// These held items have not begun and go back to the queue; in a stopped run they are dropped.
  /// It answers a recall, too, with a count of 0 if all had begun.
  void give_back(worker_id, run_id, std::uint64_t first, std::uint32_t count);

  /// A held item has failed, and waits until it is resumed or its run stops: with its token, but without a worker.
  /// False: the worker does not hold it. In a stopped run it is dropped.
  bool put_off(worker_id, run_id, std::uint64_t index);

  /// These held items are nobody's business any more; their tokens are free.
  void drop(worker_id, run_id, std::uint64_t first, std::uint32_t count);

  /// Held items are in the hands of another worker from now on, as far as the first one holds them; those of a stopped
  /// run are dropped. Whoever touches the slots of what a node holds takes it into the hands of a worker that is no
  /// node first: its run does not go away meanwhile. Returns how many the other one got.
  std::uint32_t pass_on(worker_id from, worker_id to, run_id, std::uint64_t first,
                        std::uint32_t count);

  // -- ends of runs -----------------------------------------------------------

  /// Nothing more is granted; what is queued, ready or on a node is dropped now, what else is held when it finishes.
  void stop(run_id);

  /// Forgets a run that has drained.
  void close(run_id);

  // -- nodes ------------------------------------------------------------------

  /// Whether a node held something of a run when it was stopped, and has not confirmed yet that it has ended there:
  /// what it says of that run means nothing.
  bool forgotten(worker_id, run_id) const;
  void confirmed(worker_id, run_id);

  /// What the fullest of the workers that were sent more than they can begin should give back, if nothing is queued
  /// and this worker has a thread to spare. It is asked once before it answers.
  recall recall_for(worker_id idle);

  /// The tokens with which a run keeps all workers busy.
  std::uint64_t useful_bound(run_id) const;

  // -- questions --------------------------------------------------------------

  std::uint64_t held() const { return held_; }  ///< over all runs
  std::size_t workers() const { return workers_.size(); }
  bool has_nodes() const { return nodes_ != 0; }
  const held_spans& held_by(worker_id) const;
  /// The first of a run's items that a worker holds, from this index on.
  span next_held(worker_id, run_id, std::uint64_t from) const;

  /// Checks invariants 1, 2, 4 and 8 index by index; for tests (slow).
  bool audit() const;

  static constexpr duration default_batch_time = tuning::batch;

private:
  /// Whether a worker is given more while it holds something.
  enum class filling : std::uint8_t {
    up,
    until_empty,  // no: a suspect waits for a worker that holds nothing
    suspect       // no: it holds one
  };

  struct worker_state {
    worker_id id = 0;
    std::uint32_t items = 0;
    filling now = filling::up;
    bool recalled = false;  // it was asked to give back
    worker_shape shape;
    held_spans held;
    std::vector<run_id> forgotten;
  };

  /// What a worker may have next of a run.
  struct offer {
    account* of = nullptr;
    std::uint32_t room = 0;
  };

  whole_scene scene_of(const account&, const worker_state&) const;
  std::uint32_t room_for(const account&, const worker_state&, std::uint64_t queued) const;
  offer best_offer(const worker_state&, run_id only, bool whatever) const;
  bool offers(const account&, const worker_state&) const;
  std::deque<suspect>::const_iterator suspect_for(const account&, const worker_state&) const;
  span next_batch(account&, const worker_state&, std::uint32_t room);
  span next_suspect(account&, worker_state&);
  bool must_empty(const worker_state&) const;
  void fill(worker_state&, filling);
  void hold(worker_state&, account&, const held_span&);
  template <class Each>
  std::uint32_t release(worker_state&, account&, std::uint64_t first, std::uint32_t count, Each&&);
  void bequeath(account&, const span&, worker_state* heir);
  std::optional<casualty> lose(account&, span item, mark seen, bool held_alone, worker_id not_by);

  id_table<worker_state> workers_;
  std::uint64_t held_ = 0;
  std::uint64_t weights_ = 0;   // threads of all workers
  std::uint32_t able_ = 0;      // workers that have any
  std::uint32_t nodes_ = 0;     // workers on other machines
  std::uint32_t emptying_ = 0;  // workers that are not filled up
};

}  // namespace fmap::kernel
