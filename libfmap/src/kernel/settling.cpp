// SPDX-License-Identifier: BSD-3-Clause
// What follows when items are finished: what they cost, who is told, and what is taken from a batch before its end.

#include "src/kernel/settling.hpp"

#include <algorithm>
#include <cassert>

#include <fmap/detail/retry_book.hpp>

#include "src/kernel/filling.hpp"
#include "src/kernel/withheld.hpp"

namespace fmap::kernel {

using detail::slot_state;

namespace {

/// Where the user left the bound open.
void raise_bound(visit& v, run& r) {
  if (r.widest == 0 || r.pace.cost.count() == 0) return;
  const std::uint64_t bound = v->ledger.buffersize(r.id);
  auto wanted = raised_bound(r.pace.cost, bound, r.widest, v->staff.capacity());
  if (v->ledger.has_nodes()) {
    const std::uint64_t useful = v->ledger.useful_bound(r.id);
    if (useful > wanted.value_or(bound)) wanted = useful;
  }
  if (!wanted) return;
  const run_counts c = v->ledger.counts(r.id);
  if (c.pulled - c.queued - c.held - c.waiting < tuning::first_items) return;
  v->ledger.resize(r.id, *wanted);
  v.call_source(r);
}

/// What has failed and is to be tried again waits until it is due. Returns how many.
std::uint32_t put_off(visit& v, run& r, worker_id id, std::uint64_t first, std::uint32_t count) {
  std::uint32_t n = 0;
  if (r.stopped() || !r.work->retries) return n;  // of a run that is closed a node may still speak
  while (const auto again = r.work->retries->take(first, count)) {
    try {
      const auto due = v.now() + std::min(again->pause, detail::for_ever);
      v->later.add(v->phase.broken() ? v.now() : due, {r.id, again->index});
      if (v->ledger.put_off(id, r.id, again->index)) ++n;
    } catch (...) {  // there is no memory to wait with
      v->ledger.give_back(id, r.id, again->index, 1);
      ++n;
    }
  }
  if (n == 0) return n;
  v.want_tick();
  v.hasten_tick();
  return n;
}

}  // namespace

std::uint32_t finish(visit& v, run& r, worker_id id, std::uint64_t first, std::uint32_t count,
                     clock::duration took, bool measured_well) {
  const std::uint32_t waiting = put_off(v, r, id, first, count);
  if (waiting != 0) {
    const clock::duration theirs = took * waiting / count;
    v->ledger.charge(r.id, theirs);
    took -= theirs;
    if (v->phase.broken()) resume_due(v, v.now());  // to fail with the others
  }
  return waiting + v->ledger.finished(id, r.id, first, count, took, measured_well);
}

void resume_due(visit& v, clock::time_point now) {
  bool any = false;
  while (const auto due = v->later.take_due(now)) {
    v->ledger.resume(due->run, due->index);
    any = true;
  }
  if (any) v.call_worker(urgency::at_once);
}

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

std::uint32_t settle_delivered(visit& v, worker& w) {
  own_batch& b = w.has;
  if (b.items.count < 2) return 0;
  run& r = *b.of;
  const std::uint64_t last = b.items.end() - 1;
  const auto done = [&](std::uint64_t index) {
    const slot_state s = b.in->state(b.in->offset(index)).load(std::memory_order_acquire);
    return s == slot_state::value || s == slot_state::error;
  };
  std::uint32_t settled = 0;
  for (std::uint64_t at = b.items.first; at < last;) {
    const span held = v->ledger.next_held(w.id, r.id, at);
    assert(held && "the last item is held until the call is over");
    const std::uint64_t end = std::min(held.end(), last);
    for (at = std::max(at, held.first); at < end;) {
      const std::uint64_t first = at;
      while (at != end && done(at)) ++at;
      if (at == first)
        ++at;
      else
        settled += finish(v, r, w.id, first, static_cast<std::uint32_t>(at - first), {}, false);
    }
  }
  b.items = part(b.items, v->ledger.next_held(w.id, r.id, b.items.first).first, b.items.end());
  b.settled += settled;
  if (settled != 0) settle_ready(v, r);
  return settled;
}

void split(visit& v, worker& w) {
  own_batch& b = w.has;
  run& r = *b.of;
  if (r.work->whole) {
    settle_delivered(v, w);
    return;
  }
  const std::uint64_t begun = b.in->first + w.at.freeze();
  const std::uint64_t kept = std::min(begun, b.items.end() - 1);
  if (r.work->journal) b.measured_well = false;  // some of them may have been passed over
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

void resize_staff(visit& v, std::uint32_t workers) {
  v->staff.resize(workers);
  for (auto& [id, r] : v->runs) {
    if (const auto bound = std::min(automatic_bound(workers), r->widest);
        bound > v->ledger.buffersize(id))
      v->ledger.resize(id, bound);
    recompute_tempo(v, *r);
    v.call_source(*r);
  }
  v.dismiss_surplus(any_number);
  v.ring_remote_workers();  // they may have to leave, or may begin
  v.call_worker(urgency::at_once);
}

bool resize_bound(visit& v, run& r, std::uint64_t buffersize) {
  if (!r.flowing()) return false;
  r.widest = 0;
  v->ledger.resize(r.id, buffersize);
  if (!r.in.pulling)
    v->ledger.give_back_excess(r.id);
  else if (v->ledger.narrowing(r.id))
    hurry_source(v, r, 1);  // it gives back what it has not used
  recompute_tempo(v, r);
  v.call_source(r, urgency::at_once);
  return true;
}

void halt(visit& v, run& r) {
  if (r.stopped()) return;
  count_taken(v, r);
  r.stop();
  r.seen.flush_every.store(0, std::memory_order_relaxed);
  v->ledger.stop(r.id);
  v.ring_remote_workers();  // what has not begun elsewhere is to be called back
  split_batches(v, r);
  v->later.forget(r.id);
  if (!r.in.pulling) close_intake(v, r);
  v.call_sink(r);
}

}  // namespace fmap::kernel
