// SPDX-License-Identifier: BSD-3-Clause
// The ledger as workers see it: what they may have next.

#include <algorithm>

#include "src/kernel/ledger.hpp"

namespace fmap::kernel {

namespace {

bool worth_sending(const account& r, const worker_shape& shape) {
  return !shape.by_message() || r.limits.whole || !r.cost.measured() || r.counts.held == 0
         || worth_a_message(r.cost.each(), r.counts.queued, r.limits.buffersize);
}

bool served_before(const account& a, const account& b) {
  return served_before(a.used, a.counts.held, b.used, b.counts.held);
}

}  // namespace

/// The first suspect that a worker may have: a node at any time, others while they hold nothing. A node where it
/// has died gets it only if there is nobody else.
std::deque<suspect>::const_iterator ledger::suspect_for(const account& r,
                                                        const worker_state& w) const {
  if (w.items != 0 && !w.shape.is_node) return r.suspects.end();
  const bool only_one = able_ == (w.shape.weight != 0 ? 1 : 0);
  return std::find_if(r.suspects.begin(), r.suspects.end(),
                      [&](const suspect& s) { return s.not_by != w.id || only_one; });
}

bool ledger::offers(const account& r, const worker_state& w) const {
  return !r.queue.empty() || suspect_for(r, w) != r.suspects.end();
}

/// Suspects wait for workers that hold nothing. Who is always topped up would never come to that: so as many workers
/// as there are suspects get nothing more.
bool ledger::must_empty(const worker_state& w) const {
  if (w.shape.is_node || w.items == 0) return false;
  const std::uint32_t others = emptying_ - (w.now != filling::up ? 1 : 0);
  return others < suspects_;
}

void ledger::fill(worker_state& w, filling f) {
  if (w.now != filling::up) --emptying_;
  if (f != filling::up) ++emptying_;
  w.now = f;
}

whole_scene ledger::scene_of(const account& r, const worker_state& w) const {
  std::uint32_t held = 0;
  for (const held_span& s : w.held)
    if (s.run == r.id) held += s.count;
  return {.queued = r.counts.queued,
          .buffersize = r.limits.buffersize,
          .chunksize = r.limits.chunksize,
          .weights = std::max<std::uint64_t>(weights_, r.limits.threads),
          .held = held};
}

/// `queued`: what is thought to be.
std::uint32_t ledger::room_for(const account& r, const worker_state& w,
                               std::uint64_t queued) const {
  if (!r.limits.whole) return room(r.measured_cost(), w.items, w.shape);
  const std::uint32_t most = w.shape.capacity - std::min(w.items, w.shape.capacity);
  whole_scene s = scene_of(r, w);
  s.queued = queued;
  const std::uint32_t n = whole_room(s, most, w.shape);
  // A node's threads may have suspects each.
  if (n == 0 && w.items < w.shape.weight && suspect_for(r, w) != r.suspects.end()) return 1;
  return n;
}

ledger::offer ledger::best_offer(const worker_state& w, run_id only, bool whatever) const {
  offer best;
  for (account* r : runnable_) {
    if (only != 0 && r->id != only) continue;
    if (best.of != nullptr && !served_before(*r, *best.of)) continue;
    const std::uint32_t n = room_for(*r, w, r->counts.queued);
    if (n == 0 || !offers(*r, w)) continue;
    if (whatever || worth_sending(*r, w.shape)) best = {r, n};
  }
  return best;
}

bool ledger::full(worker_id id) const {
  const worker_state* w = workers_.find(id);
  if (w == nullptr || w->items >= w->shape.capacity || w->now == filling::suspect || must_empty(*w))
    return true;
  return !runnable_.empty() && std::none_of(runnable_.begin(), runnable_.end(), [&](auto* r) {
    return room_for(*r, *w, unbounded) != 0 && offers(*r, *w);
  });
}

bool ledger::wants(worker_id id, bool whatever) const {
  const worker_state* w = workers_.find(id);
  return w != nullptr && w->now != filling::suspect && !must_empty(*w)
         && best_offer(*w, 0, whatever).of != nullptr;
}

span ledger::next_held(worker_id id, run_id run, std::uint64_t from) const {
  const held_span* const s = held_by(id).next(run, from);
  return s != nullptr ? part<span>(*s, std::max(s->first, from), s->end()) : span{};
}

}  // namespace fmap::kernel
