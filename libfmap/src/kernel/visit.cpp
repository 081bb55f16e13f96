// SPDX-License-Identifier: BSD-3-Clause
// One stay under the mailbox's mutex: the only way to its parts, out of the mutex, and to whom is to be called.

#include "src/kernel/visit.hpp"

#include <algorithm>
#include <cassert>

#include "src/kernel/scenes.hpp"

namespace fmap::kernel {

namespace {

struct worker_scene {
  visit& v;
  mailbox_parts& p;
  mutable worker* found = nullptr;

  bool work() const { return work_waits(p); }
  bool asleep() const { return p.workers.anyone_asleep(); }
  bool may_start() const { return p.staff.may_start() && p.supervisor && !p.phase.broken(); }
  bool blocked() const { return p.staff.any_blocked(); }
  ledger::duration backlog() const { return time_to_do(p); }
  bool someone_soon() const { return p.workers.someone_soon(v.now()); }
  bool taker(urgency u) const {
    found = p.workers.sleeper([&](const worker* w) {
      if (!w->remote || p.ledger.wants(w->id, u == urgency::at_once)) return true;
      // Who holds all that it may finds that out, and does not count as asleep any more.
      return u == urgency::at_once && p.ledger.full(w->id);
    });
    return found != nullptr;
  }
  bool backing_off() const { return p.staff.pause.in_vain() != 0 && p.staff.pause.lasts(v.now()); }
};

struct source_scene {
  const mailbox_parts& p;
  const run& r;
  const run_counts& c;

  bool could_pull() const {
    return r.in.at_hand ? pullable(r, c) != 0 : r.in.source.asleep() && c.free != 0;
  }
  std::uint64_t free() const { return c.free; }
  std::uint64_t worth() const { return r.pace.worth_a_call; }
  grain size() const { return r.pace.size; }
  bool sink_asleep() const { return r.out.sink.asleep(); }
  bool stalled() const { return kernel::stalled(r, c); }
  bool starving() const { return workers_starve(p); }
};

struct sink_scene {
  sink_scene(const mailbox_parts& p, const run& r)
      : p{p}, r{r}, is_ready{!r.stopped() && p.ledger.has_ready(r.id)}, is_over{
                                                                            !is_ready
                                                                            && exhausted(p, r)} {}

  bool anything() const { return is_ready || is_over; }
  bool over() const { return is_over; }
  grain size() const { return r.pace.size; }
  bool looking() const { return r.out.sink.looking(); }
  std::uint64_t ready() const { return p.ledger.counts(r.id).ready; }
  std::uint64_t worth() const { return r.pace.worth_a_call; }
  bool stalled() const { return kernel::stalled(p, r); }
  bool starving() const { return workers_starve(p); }

  const mailbox_parts& p;
  const run& r;
  const bool is_ready, is_over;
};

}  // namespace

/// Where nobody ticks, nothing can be put off.
urgency visit::pressing(urgency u) const { return box_.parts_.supervisor ? u : urgency::at_once; }

void visit::call_worker(urgency u) {
  mailbox_parts& p = box_.parts_;
  u = pressing(u);
  const worker_scene s{*this, p};
  p.workers.something_to_do.store(s.work(), std::memory_order_relaxed);
  if (s.work() && p.adapts.want()) ring(p.supervisor);
  const decision d = kernel::call_worker(s, u);
  count(d);
  switch (d.what) {
    case act::none: return;
    case act::later: return want_tick();
    case act::now:
      p.workers.called(*s.found, now(), u == urgency::at_once);
      return ring(s.found->bell);
    case act::start: p.staff.start_one(); return ring(p.supervisor);
    case act::reserve: return call_reserve();
  }
}

/// There is something to do, nobody to do it, and nobody can be started.
void visit::call_reserve() {
  mailbox_parts& p = box_.parts_;
  want_tick();
  worker* const w = p.workers.sleeping_reserve();
  if (w == nullptr || most_forsaken(p) == nullptr) return;
  p.workers.called(*w, now(), w->hurry);
  ring(w->bell);
}

void visit::call_source(run& r, urgency u) {
  mailbox_parts& p = box_.parts_;
  u = pressing(u);
  const run_counts c = p.ledger.counts(r.id);
  r.seen.free_tokens.store(c.free, std::memory_order_relaxed);
  const source_scene s{p, r, c};
  if (r.in.at_hand) {
    const bool any = u == urgency::at_once || (s.sink_asleep() && s.stalled());
    line_up(*this, r, any ? tokens::any : tokens::enough);
  }
  const decision d = kernel::call_source(s, u);
  if (d.what == act::now && r.in.at_hand) {
    count(d);
    return call_worker();
  }
  act_on(d, r.in.source);
}

decision visit::show_sink(run& r) {
  const decision d = worth_coming(sink_scene{box_.parts_, r});
  r.seen.something_for_sink.store(d.what == act::now, std::memory_order_relaxed);
  return d;
}

void visit::call_sink(run& r, urgency u) {
  const decision coming = show_sink(r);
  act_on(kernel::call_sink(r.out.sink.asleep(), coming, pressing(u)), r.out.sink);
}

/// The one place where a source or a consumer is called, or its call is put off.
void visit::act_on(decision d, party& who) {
  count(d);
  if (d.what == act::later) return want_tick();
  if (d.what != act::now) return;
  assert(who.asleep());
  who.where = presence::called;
  ring(who.bell);
}

void visit::call_all() {
  mailbox_parts& p = box_.parts_;
  for (auto woken = p.workers.wake_all(); !woken.empty(); woken = p.workers.wake_all())
    for (const worker* w : woken) ring(w->bell);
  ring(p.supervisor);
  if (!settled(p)) return;
  for (const auto& waiter : p.left) ring(waiter);
}

void visit::ring_remote_workers() {
  for (const worker* w : box_.parts_.workers.all())
    if (w->remote) ring(w->bell);
}

void visit::retire(worker& w) {
  if (!std::exchange(w.supervised, false)) return;
  box_.parts_.staff.retired();
  w.retired = true;
}

void visit::dismiss_surplus(std::uint32_t most) {
  mailbox_parts& p = box_.parts_;
  const auto dismiss = [&](worker& w) {
    p.workers.rests(w);
    ring(w.bell);
  };
  for (auto n = std::min(most, p.staff.surplus_workers()); n != 0; --n) {
    worker* const w =
        p.workers.sleeper([&](const worker* each) { return !holds_something(p, *each); });
    if (w == nullptr) break;
    if (!w->remote) retire(*w);  // sessions do that themselves
    dismiss(*w);
  }
  while (!p.staff.any_blocked() && p.workers.several_reserves_asleep())
    dismiss(*p.workers.sleeping_reserve());
}

void visit::want_tick() {
  if (box_.parts_.tick.want()) ring(box_.parts_.supervisor);
  assert(box_.parts_.tick.running());  // V4
}

void visit::hasten_tick() {
  if (box_.parts_.tick.hasten()) ring(box_.parts_.supervisor);
}

void visit::touch(run& r) {
  if (touched_ != nullptr && touched_ != &r) all_touched_ = true;
  touched_ = &r;
}

void visit::touch_all() { all_touched_ = true; }

void visit::notify_drained(run& r) {
  if (r.out.drained && !r.in.pulling && box_.parts_.ledger.drained(r.id)) ring(r.out.drained);
}

void visit::finish_touched() {
  mailbox_parts& p = box_.parts_;
  if (all_touched_)
    for (auto& [id, r] : p.runs) notify_drained(*r);
  else
    notify_drained(*touched_);
  if (p.phase.closing() && idle_for_good(p)) call_all();
  touched_ = nullptr;
  all_touched_ = false;
}

}  // namespace fmap::kernel
