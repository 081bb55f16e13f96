// SPDX-License-Identifier: BSD-3-Clause
// One run: what it is made of, and how it goes.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>

#include "src/kernel/chunk_store.hpp"
#include "src/kernel/cost_book.hpp"
#include "src/kernel/party.hpp"
#include "src/kernel/spinner.hpp"
#include "src/kernel/tempo.hpp"

namespace fmap::kernel {

/// How a run goes.
///
///   flowing --its input ends or throws--> ended
///   flowing --the pool is shut down or breaks--> cut --the pull under way met the end--> ended
///   flowing, ended, cut --stop()--> stopped
///   ended, cut, stopped --nothing being pulled, queued or held--> drained --close()--> gone
enum class phase : std::uint8_t { flowing, ended, cut, stopped };

/// Where a run's items come from.
struct intake {
  std::unique_ptr<input> from;  // used without the mutex by whoever is `pulling`
  party source;                 // its bell is there as long as the source is
  spinner spin;                 // the source's
  clock::time_point published_at{};
  std::exception_ptr error;   // why the input ended, if it threw
  std::uint32_t filled = 0;   // slots of the open chunk that are filled and published
  std::uint32_t granted = 0;  // slots of the open chunk that may be filled
  bool at_hand =
      false;  // workers pull it, between batches. Set by the consumer, before it first waits
  bool copies_bytes = false;  // in no time worth measuring
  bool in_line = false;       // of the runs that workers are to pull
  bool pulling = false;       // a thread is inside `from`, or has been lent slots
  bool lent = false;  // the latter: nobody need be there, and a closing pool waits for nobody
};

/// Where its outcomes go.
struct outlet {
  party sink;
  doorbell_ptr drained;  // somebody waits for the run to drain
  bool ticks =
      false;  // nobody else will soon, so the consumer has to. Its thread writes and reads it
  bool task_waits =
      false;  // the consumer that sleeps is a task of this pool, and has slept since then
  clock::time_point waits_since{};
  clock::time_point rescued_at{};  // a reserve came for its items
};

/// All that is read without the mutex.
struct signals {
  alignas(64) std::atomic<std::uint32_t> flush_every{1};  // read by who pulls
  alignas(64) std::atomic<std::uint64_t> taken{0};        // results the consumer has made current
  std::atomic<bool> stopped{false};                       // says phase::stopped
  alignas(64) std::atomic<std::uint64_t> free_tokens{0};  // looked at by a source between two looks
  std::atomic<bool> something_for_sink{false};            // that is worth coming for
  std::atomic<grain> size{grain::unknown};
};

/// Opened, filled and closed by the mailbox. Its mutex guards all but `id`, `limits`, `work` and `seen`, unless it is
/// said otherwise.
struct run {
  run(run_id id, const run_limits& limits, std::shared_ptr<job> work, std::unique_ptr<input> from);
  ~run();
  run(const run&) = delete;
  run& operator=(const run&) = delete;

  bool flowing() const { return now == phase::flowing; }
  bool stopped() const { return now == phase::stopped; }

  /// The input has ended by itself; nothing changes in a run that was stopped.
  void end_input(std::exception_ptr why);

  void stop();

  /// The pool wants no more of it. False: nothing more would have come anyway.
  bool cut();

  /// By what its items have been costing.
  void set_tempo(ledger::duration cost, std::uint64_t buffersize, std::uint32_t workers);

  /// Nobody will look at this many slots of a chunk again.
  void release(chunk&, std::uint32_t count);

  /// Somebody is inside the input who withholds what is pulled.
  bool withholds() const;

  const run_id id;
  const run_limits limits;
  std::shared_ptr<job> work;
  const clock::time_point opened = clock::now();
  phase now = phase::flowing;
  std::uint64_t widest = limits.widest;  // 0: the user has said how many may be in flight
  tempo pace;
  cost_sampler sampler;
  chunk_store chunks;
  intake in;
  outlet out;
  signals seen;
};

using run_ptr = std::shared_ptr<run>;

}  // namespace fmap::kernel
