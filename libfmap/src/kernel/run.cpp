// SPDX-License-Identifier: BSD-3-Clause
// One run: what it is made of, and how it goes.

#include "src/kernel/run.hpp"

#include <utility>

namespace fmap::kernel {

run::run(run_id id, const run_limits& limits, std::shared_ptr<job> work,
         std::unique_ptr<input> from)
    : id{id}, limits{limits}, work{std::move(work)} {
  in.from = std::move(from);
}

run::~run() {
  if (work) chunks.clear(*work);
}

void run::end_input(std::exception_ptr why) {
  if (stopped()) return;
  now = phase::ended;
  in.error = std::move(why);
}

void run::stop() {
  now = phase::stopped;
  seen.stopped = true;
}

bool run::cut() {
  if (!flowing()) return false;
  now = phase::cut;
  return true;
}

void run::set_tempo(ledger::duration cost, std::uint64_t buffersize, std::uint32_t workers) {
  const run_shape shape{.buffersize = buffersize,
                        .by_cost = limits.chunksize == 0 && !limits.whole,
                        .pulled = in.from != nullptr,
                        .tell_after = limits.tell_after};
  pace = tempo_of(cost, shape, workers, pace);
  seen.size.store(pace.size, std::memory_order_relaxed);
}

void run::release(chunk& c, std::uint32_t count) {
  using keep = chunk_store::keep;
  chunks.release(c, count, in.from ? keep::all : work->delivers ? keep::some : keep::none);
}

bool run::withholds() const {
  return in.pulling && !in.copies_bytes && seen.flush_every.load(std::memory_order_relaxed) > 1;
}

}  // namespace fmap::kernel
