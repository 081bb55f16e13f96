// SPDX-License-Identifier: BSD-3-Clause
// What a consumer may do at the shared mailbox: outcomes, tokens back, the end of a run.
#pragma once

#include <cstdint>
#include <memory>

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

enum class next_result : std::uint8_t { outcomes, wait, end };

/// Figures of one run at one moment.
struct run_stats {
  run_counts counts;
  std::uint64_t buffersize = 0, taken = 0, ready = 0, failed = 0;
  clock::duration elapsed{};
  std::uint32_t workers = 0;  // 0: they are not ours
};

class sink_port {
public:
  explicit sink_port(shared_mailbox& box) : box_{box} {}

  /// Gives back the slots of the last span and the tokens of all taken results, and hands out the next
  /// outcomes. `wait`: there are none yet; the sink's bell will ring. If it has not after tuning::tick, and the run
  /// says `ticks`, the sink is to call tick_now().
  next_result next(run& r, outcome_span& s) { return next(r, s, presence::asleep); }

  /// The same for a consumer that looks for a moment before it sleeps. `wait`: the run's signals will say when
  /// something is worth coming for.
  next_result next_looking(run& r, outcome_span& s) { return next(r, s, presence::looking); }

  /// The consumer has been waiting for longer than a fine-grained item takes.
  void distrust(run&);

  /// Returns the tokens of all results taken so far.
  void give_tokens_back(run&);

  /// At most so many are in flight from now on: more at once, fewer as tokens come back. False: nothing more comes.
  bool resize(run&, std::uint64_t buffersize);

  /// Does the tick's work at once, and has it done often again.
  void tick_now();

  /// Throws pool_shutdown or broken_pool if there may have been more input than was pulled.
  void throw_if_cut(const run&);

  /// Stops a run: no more pulls; what is queued or ready is dropped, running calls finish.
  void stop(run&);

  /// Stops a run and returns when nobody touches its input, its function or its slots any more.
  void close(run&);

  /// Stops a run and returns at once; whoever touches it last closes it, and then rings `closed`.
  static void abandon(const std::shared_ptr<shared_mailbox>&, const run_ptr&,
                      doorbell_ptr closed = nullptr);

  run_stats stats(const run&);
  std::uint32_t attempts(const run&, std::uint64_t index);

private:
  next_result next(run&, outcome_span&, presence waiting);

  shared_mailbox& box_;
};

}  // namespace fmap::kernel
