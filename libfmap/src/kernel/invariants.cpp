// SPDX-License-Identifier: BSD-3-Clause
// What holds whenever the mailbox's mutex is let go; see visit.

#include "src/kernel/invariants.hpp"

#include <algorithm>
#include <cassert>

#include "src/kernel/scenes.hpp"

namespace fmap::kernel {

namespace {

/// Somebody is awake who will look for work: a worker that has come or is on its way, or one that is about to join.
[[maybe_unused]] bool worker_awake(const mailbox_parts& p) {
  return !p.staff.all_joined(p.workers.all().size())
         || std::any_of(p.workers.all().begin(), p.workers.all().end(), [](const worker* w) {
              return w->where == presence::at_work || w->where == presence::called;
            });
}

/// V6 for one run. Whoever is inside its input looks after it when it comes out.
[[maybe_unused]] bool source_looked_after(const mailbox_parts& p, const run& r) {
  if (!r.flowing() || r.in.pulling || p.tick.running()) return true;
  const run_counts c = p.ledger.counts(r.id);
  if (r.in.at_hand)
    return pullable(r, c) == 0 || r.in.in_line || worker_awake(p) || !p.workers.anyone_asleep();
  return !r.in.source.asleep() || c.free == 0;
}

[[maybe_unused]] bool sink_looked_after(const mailbox_parts& p, const run& r) {
  if (!r.out.sink.asleep() || p.tick.running() || worker_awake(p)) return true;
  if (r.in.source.where == presence::at_work) return true;
  return !exhausted(p, r) && (r.stopped() || !p.ledger.has_ready(r.id));
}

[[maybe_unused]] bool work_looked_after(const mailbox_parts& p) {
  if (p.ledger.queued() == 0 && p.pulls.empty()) return true;
  return p.tick.running() || worker_awake(p) || !p.workers.anyone_asleep();
}

/// To look at all of a large pool each time would take too long.
constexpr std::size_t few = 16;

}  // namespace

void assert_invariants([[maybe_unused]] const mailbox_parts& p) {
#ifndef NDEBUG
  if (p.phase.broken() || p.runs.size() > few || p.workers.all().size() > few) return;
  assert(work_looked_after(p));
  for (const auto& [id, r] : p.runs) {
    assert(source_looked_after(p, *r));
    assert(sink_looked_after(p, *r));
    assert(r->stopped() == r->seen.stopped.load(std::memory_order_relaxed));
  }
#endif
}

}  // namespace fmap::kernel
