// SPDX-License-Identifier: BSD-3-Clause
// What follows when items are finished: what they cost, who is told, and what is taken from a batch before its end.

#include "src/kernel/settling.hpp"

#include <algorithm>
#include <vector>

#include <fmap/detail/retry_book.hpp>

#include "src/kernel/filling.hpp"
#include "src/kernel/withheld.hpp"

namespace fmap::kernel {

namespace {

/// Where the user left the bound open.
void raise_bound(visit& v, run& r) {
  if (r.limits.widest == 0 || r.pace.cost.count() == 0) return;
  const std::uint64_t bound = v->ledger.buffersize(r.id);
  auto wanted = raised_bound(r.pace.cost, bound, r.limits.widest, v->staff.capacity());
  if (v->ledger.has_nodes()) {
    const std::uint64_t useful = v->ledger.useful_bound(r.id);
    if (useful > wanted.value_or(bound)) wanted = useful;
  }
  if (!wanted) return;
  const run_counts c = v->ledger.counts(r.id);
  if (c.pulled - c.queued - c.held < tuning::first_items) return;
  v->ledger.widen(r.id, *wanted);
  v.call_source(r);
}

/// What has failed and is to be tried again goes into the hands of a worker that does nothing, until it is due.
std::uint32_t put_off(visit& v, run& r, worker_id id, std::uint64_t first, std::uint32_t count) {
  std::uint32_t n = 0;
  if (!r.work->retries) return n;
  postponed& later = v->later;
  for (const auto& again : r.work->retries->take(first, count)) {
    if (later.hands == 0) later.hands = v->ledger.add_worker({.capacity = any_number, .weight = 0});
    if (v->ledger.pass_on(id, later.hands, r.id, again.index, 1) == 0) continue;  // it was dropped
    later.add(v.now() + std::min(again.pause, detail::for_ever), {r.id, again.index});
    ++r.waiting;
    ++n;
  }
  if (n != 0) {
    v.want_tick();
    v.hasten_tick();
  }
  return n;
}

void resume(visit& v, const std::vector<postponed::item>& items) {
  for (const auto& [id, index] : items) {
    run& r = *v->runs.at(id);
    --r.waiting;
    v->ledger.give_back(v->later.hands, id, index, 1);
    v.touch(r);
  }
  if (!items.empty()) v.call_worker(urgency::at_once);
}

}  // namespace

std::uint32_t finish(visit& v, run& r, worker_id id, std::uint64_t first, std::uint32_t count,
                     clock::duration took, bool measured_well) {
  const std::uint32_t waiting = put_off(v, r, id, first, count);
  const std::uint32_t ready = v->ledger.finished(id, r.id, first, count, took, measured_well);
  if (waiting != 0 && v->phase.broken()) resume_all(v, r.id);  // to fail with the others
  return waiting + ready;
}

void resume_due(visit& v, clock::time_point now) {
  if (v->later.due(now)) resume(v, v->later.take_due(now));
}

void resume_all(visit& v, run_id only) { resume(v, v->later.take_all(only)); }

void recompute_tempo(visit& v, run& r) {
  r.set_tempo(v->ledger.cost(r.id), v->ledger.buffersize(r.id), v->staff.capacity());
}

void settle_ready(visit& v, run& r) {
  if (!r.work->asynchronous) recompute_tempo(v, r);
  raise_bound(v, r);
  take_delivered(v, r);
  v.call_sink(r);
  v.touch(r);
}

void take_delivered(visit& v, run& r) {
  if (!r.work->delivers) return;
  while (const span s = v->ledger.next_ready(r.id)) {
    v->ledger.taken(r.id, s.count);
    r.release(r.chunks.at(s.chunk), s.count);
  }
}

void report_finished(visit& v, run& r, worker_id id, std::uint64_t first, std::uint32_t count,
                     clock::duration took) {
  const bool measured_well = took.count() != 0;
  if (finish(v, r, id, first, count, took, measured_well) == 0) return;
  settle_ready(v, r);
  tick_in_passing(v, v.now());
}

void count_taken(visit& v, run& r) {
  const std::uint64_t told = v->ledger.counts(r.id).taken;
  v->ledger.taken(r.id, r.seen.taken.load(std::memory_order_relaxed) - told);
}

void distrust_estimate(visit& v, run& r) {
  if (r.pace.cost.count() == 0 || v->ledger.measured(r.id)) return;
  split_batches(v, r);
  v->ledger.doubt(r.id);
  recompute_tempo(v, r);
  v.call_worker(urgency::at_once);
}

void split(visit& v, worker& w) {
  own_batch& b = w.has;
  run& r = *b.of;
  const std::uint64_t begun = b.in->first + w.at.freeze();
  const std::uint64_t kept = std::min(begun, b.items.end() - 1);
  const auto before = static_cast<std::uint32_t>(kept - b.items.first);
  const auto after = static_cast<std::uint32_t>(b.items.end() - kept - 1);
  if (before != 0 && !r.work->asynchronous) {
    finish(v, r, w.id, b.items.first, before, {}, b.measured_well);
    take_delivered(v, r);
  }
  if (after != 0) v->ledger.give_back(w.id, r.id, kept + 1, after);
  b.items.first = kept;
  b.items.count = 1;
  w.at.keep(b.in->offset(kept));
  v.call_sink(r);
}

void split_batches(visit& v, run& r) {
  for (worker* w : v->workers.all())
    if (w->has.of == &r && w->has.items.count > 1) split(v, *w);
}

void halt(visit& v, run& r) {
  if (r.stopped()) return;
  count_taken(v, r);
  r.stop();
  r.seen.flush_every.store(0, std::memory_order_relaxed);
  v->ledger.stop(r.id);
  for (const worker* w : v->workers.all())
    if (w->remote) v.ring(w->bell);  // what has not begun elsewhere is to be called back
  split_batches(v, r);
  resume_all(v, r.id);
  if (!r.in.pulling) close_intake(v, r);
  v.call_sink(r);
}

}  // namespace fmap::kernel
