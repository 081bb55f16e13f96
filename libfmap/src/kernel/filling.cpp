// SPDX-License-Identifier: BSD-3-Clause
// How a run's items get in: from tokens to slots, from its input into them, and from there into the queue.

#include "src/kernel/filling.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "src/kernel/prefetch.hpp"
#include "src/kernel/scenes.hpp"

namespace fmap::kernel {

using detail::slot_state;

std::uint32_t fillable(visit& v, run& r) {
  assert(r.flowing());  // V7
  intake& in = r.in;
  const chunk* open = r.chunks.filling();
  if (open != nullptr && in.filled == open->capacity) {
    r.chunks.filled();
    open = nullptr;
  }
  v->ledger.give_back_excess(r.id);
  const run_counts counts = v->ledger.counts(r.id);
  if (open == nullptr) {
    if (counts.free == 0 && counts.granted == 0) return in.filled = 0;
    const auto capacity =
        chunk_capacity(v->ledger.buffersize(r.id), r.limits.chunksize, r.work->layout);
    open = &r.chunks.open(counts.pulled, capacity, r.work->layout);
    in.filled = 0;
  }
  const std::uint32_t room = open->capacity - in.filled;
  const std::uint64_t wanted =
      in.at_hand ? std::min<std::uint64_t>(room, r.pace.pull_at_most) : room;
  std::uint64_t granted = counts.granted, more = 0;
  if (granted < wanted) granted += more = v->ledger.grant(r.id, wanted - granted);
  r.seen.free_tokens.store(counts.free - more, std::memory_order_relaxed);
  return in.granted = in.filled + static_cast<std::uint32_t>(std::min(granted, wanted));
}

void fetch(visit& v, run& r) {
  auto& flush_every = r.seen.flush_every;
  const bool copies_bytes = r.in.copies_bytes;
  const std::uint32_t end = r.in.granted;
  std::uint32_t filled = r.in.filled;
  if (!copies_bytes && end - filled > 1 && flush_every.load(std::memory_order_relaxed) > 1)
    v.want_tick();
  r.in.pulling = true;
  chunk& c = *r.chunks.filling();
  input& from = *r.in.from;
  bool more = false;
  std::exception_ptr error;
  clock::duration took{};
  const auto prepare = [&] {
    if (!copies_bytes) return;
    fetch_for_writing(c.at(filled), c.at(end));
    fetch_for_writing(&c.state(filled), &c.state(filled) + (end - filled));
  };
  const auto pull = [&] {
    clock::time_point begun;
    if (!copies_bytes) begun = clock::now();
    try {
      more = from.pull(c, filled, end, flush_every);
    } catch (...) {
      error = std::current_exception();
    }
    if (!copies_bytes) took = clock::now() - begun;
  };
  v.outside(pull, prepare);
  const std::uint32_t rate = flush_every.load(std::memory_order_relaxed);
  // Not for a single time: the thread may just have waited for the processor.
  if (r.in.at_hand && rate < c.capacity) v->ledger.charge(r.id, took);
  // Each item of an asynchronous run is to be started before the next one is pulled.
  const std::uint32_t next = r.work->asynchronous ? 1 : fill_rate(rate, took, c.capacity);
  if (next != rate) flush_every.store(next, std::memory_order_relaxed);
  r.in.pulling = false;
  publish(v, r, filled);
  if (!more) r.end_input(std::move(error));
}

void fetch_at_hand(visit& v, run& r) {
  try {
    if (fillable(v, r) != r.in.filled) fetch(v, r);
  } catch (...) {
    r.end_input(std::current_exception());
  }
  if (!r.flowing()) close_intake(v, r);
}

void publish(visit& v, run& r, std::uint32_t filled) {
  if (r.in.from && !r.in.copies_bytes) r.in.published_at = v.now();
  if (filled <= r.in.filled) return;
  if (!r.in.at_hand) v.hasten_tick();
  v->ledger.pulled(r.id, r.chunks.filling()->id, filled - std::exchange(r.in.filled, filled));
  v.call_worker();
}

void publish_progress(visit& v, run& r) {
  std::uint32_t filled = r.in.filled;
  const chunk* const open = r.chunks.filling();
  const auto is_there = [open](std::uint32_t at) {
    const slot_state s = open->state(at).load(std::memory_order_acquire);
    return s == slot_state::item || s == slot_state::recorded;
  };
  while (filled != r.in.granted && is_there(filled)) ++filled;
  publish(v, r, filled);
}

void hurry_source(visit& v, run& r, std::uint32_t flush_every) {
  r.seen.flush_every.store(flush_every, std::memory_order_relaxed);
  detail::heavy_fence();
  publish_progress(v, r);
}

void close_intake(visit& v, run& r) {
  v->ledger.end(r.id);
  party& source = r.in.source;
  if (source.asleep()) source.where = presence::called;
  v->pulls.leave(r);
  v.ring(std::exchange(source.bell, nullptr));
  v.call_sink(r);
  v.touch(r);
}

void cut(visit& v, run& r) {
  if (!r.cut()) return;
  if (r.in.pulling)
    hurry_source(v, r, 0);
  else
    close_intake(v, r);
}

}  // namespace fmap::kernel
