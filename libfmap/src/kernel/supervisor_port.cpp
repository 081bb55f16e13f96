// SPDX-License-Identifier: BSD-3-Clause
// What a supervisor may do at the shared mailbox, and whoever starts workers for it.

#include "src/kernel/supervisor_port.hpp"

#include <algorithm>
#include <utility>

#include "src/kernel/failing.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/kernel/scenes.hpp"
#include "src/kernel/settling.hpp"
#include "src/kernel/withheld.hpp"

namespace fmap::kernel {

namespace {

/// Something may be withheld from somebody who would not call for the tick.
bool relies_on_tick(const mailbox_parts& p, const run& r) {
  if (r.in.at_hand) return r.out.sink.asleep() && !r.out.ticks;
  const run_counts c = p.ledger.counts(r.id);
  return r.in.source.bell || r.in.pulling || c.queued + c.held + c.ready != 0;
}

}  // namespace

void supervisor_port::set_supervisor(doorbell_ptr bell) {
  visit v{box_};
  v->supervisor = std::move(bell);
}

void supervisor_port::supervisor_gone(std::exception_ptr why) {
  {
    visit v{box_};
    v->supervisor.reset();
    v->staff.forget_starts();
    if (v->phase.closing() && settled(*v)) return;
  }
  pool_port{box_}.break_up(std::move(why));
}

duties supervisor_port::take_duties() {
  visit v{box_};
  return {v->staff.take_starts(), v->tick.take_wanted(), v->adapts.take_wanted(),
          v->phase.closing() && settled(*v)};
}

void supervisor_port::start_all() {
  visit v{box_};
  while (v->staff.may_start()) v->staff.start_one();
  v.ring(v->supervisor);
}

std::chrono::microseconds supervisor_port::tick() {
  visit v{box_};
  const bool relied_on = std::any_of(v->runs.begin(), v->runs.end(),
                                     [&](const auto& r) { return relies_on_tick(*v, *r.second); });
  v->tick.ticked(v.now(), relied_on);
  resume_due(v, v.now());
  const bool more = release_withheld(v, v.now());
  auto next = v->tick.go_on(more);
  if (const auto due = v->later.next()) {
    const auto soon = std::clamp<std::chrono::microseconds>(
        std::chrono::ceil<std::chrono::microseconds>(*due - v.now()), tuning::tick,
        tuning::retry_look);
    next = next.count() == 0 ? soon : std::min(next, soon);
  }
  if (v->ledger.queued() != 0) fail_if_broken(v);
  return next;
}

clock::duration supervisor_port::adapt(double idle_processors) {
  visit v{box_};
  if (v->phase.closing() || v->phase.broken()) return {};
  const std::uint32_t workers = v->staff.capacity();
  adaptive_scene now{
      .workers = workers, .items_wait = work_waits(*v), .idle_processors = idle_processors};
  for (const worker* w : v->workers.all()) {
    if (!w->supervised) continue;
    if (holds_something(*v, *w))
      ++now.busy;
    else if (w->where == presence::asleep)
      ++now.idle;
  }
  const std::uint32_t wanted = v->adapts.look(now, v.now());
  if (wanted != workers) resize_staff(v, wanted);
  return v->adapts.pause(wanted);
}

bool supervisor_port::start_failed(std::size_t in_vain, std::uint32_t proven) {
  visit v{box_};
  v->staff.pause.failed(v.now());
  v.call_worker(urgency::at_once);
  return v->staff.pause.in_vain() > in_vain && v->staff.hopeless(proven);
}

void supervisor_port::start_succeeded() {
  visit v{box_};
  v->staff.pause.succeeded();
}

bool supervisor_port::add_worker() {
  visit v{box_};
  if (!v->supervisor || v->phase.broken() || (v->phase.closing() && settled(*v))) return false;
  v->staff.grow();
  v.ring(v->supervisor);
  return true;
}

void supervisor_port::remove_worker() {
  visit v{box_};
  v->staff.shrink();
  if (v->phase.closing() && settled(*v)) v.call_all();
}

void supervisor_port::never_came() {
  visit v{box_};
  v->staff.never_came();
  if (v->phase.closing() && settled(*v)) v.call_all();
}

}  // namespace fmap::kernel
