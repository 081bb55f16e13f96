// SPDX-License-Identifier: BSD-3-Clause
// The ledger's runs: their tokens, what of them is queued or ready, what they cost and have used.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "src/kernel/account.hpp"
#include "src/kernel/fair_share.hpp"
#include "src/kernel/id_table.hpp"
#include "src/kernel/span.hpp"

namespace fmap::kernel {

/// What does not depend on who the workers are.
class run_book {
public:
  using duration = std::chrono::nanoseconds;

  // -- upstream ---------------------------------------------------------------

  run_id open(const run_limits&);

  /// Hands up to `wanted` free tokens to the source.
  std::uint64_t grant(run_id, std::uint64_t wanted);

  /// The source used `count` granted tokens: the next `count` indices are queued, stored in `chunk`. `alone`: it is one,
  /// and a suspect.
  void pulled(run_id, std::uint32_t chunk, std::uint32_t count, bool alone = false);

  /// The source is done: granted tokens come back and none are granted any more.
  void end(run_id);

  /// From now on there are `buffersize` tokens: more at once, fewer as they come back.
  void resize(run_id, std::uint64_t buffersize);

  /// Whether a run has more tokens than it is to have.
  bool narrowing(run_id) const;

  /// Where there are too many, the source hands back what it was granted and has not used.
  void give_back_excess(run_id);

  // -- cost and time ----------------------------------------------------------

  /// Nothing is known of the items' cost any more.
  void doubt(run_id);

  /// Workers have spent this much time on a run other than on its items.
  void charge(run_id, duration took);

  // -- downstream -------------------------------------------------------------

  /// Hands the sink the next outcomes it may give out; they stay `ready` until they are taken.
  span next_ready(run_id);

  /// The consumer took `count` outcomes: their tokens are free again.
  void taken(run_id, std::uint64_t count);

  // -- items that wait --------------------------------------------------------

  /// An item that was put off is queued again. Nothing happens if it does not wait any more.
  void resume(run_id, std::uint64_t index);

  // -- questions --------------------------------------------------------------

  bool knows(run_id id) const { return runs_.find(id) != nullptr; }
  bool stopped(run_id) const;
  bool has_ready(run_id) const;
  const run_counts& counts(run_id) const;
  std::uint64_t buffersize(run_id) const;
  std::uint64_t queued() const { return queued_; }    ///< over all runs
  std::uint64_t waiting() const { return waiting_; }  ///< over all runs
  duration queued_time() const;  ///< what is queued will take one worker; max() if it is not known
  bool drained(run_id) const;    ///< no token granted, nothing queued or held
  duration cost(run_id) const;   ///< time per item, measured or else expected; 0 while unknown
  bool measured(run_id) const;   ///< whether that is more than an expectation
  std::uint32_t attempts(run_id,
                         std::uint64_t index) const;  ///< executions begun so far, at least 1

protected:
  /// Queues items; a suspect in a line of its own.
  void enqueue(account&, const span&, worker_id not_by = 0);

  /// Items have left a run's queue.
  void dequeued(account& r, std::uint32_t count) {
    queued_ -= count;
    r.counts.queued -= count;
    if (r.nothing_queued()) std::erase(runnable_, &r);
  }

  /// Drops what is queued or ready.
  void drop_all(account&);

  id_table<account> runs_;
  std::vector<account*> runnable_;           // runs with something queued
  std::uint64_t queued_ = 0, suspects_ = 0;  // items; suspects among them
  std::uint64_t waiting_ = 0;
  fair_clock clock_;
};

}  // namespace fmap::kernel
