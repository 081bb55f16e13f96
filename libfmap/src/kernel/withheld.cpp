// SPDX-License-Identifier: BSD-3-Clause
// What the tick does, or somebody who comes by for it: it sets free what has been withheld for too long.

#include "src/kernel/withheld.hpp"

#include "src/kernel/filling.hpp"
#include "src/kernel/scenes.hpp"
#include "src/kernel/settling.hpp"

namespace fmap::kernel {

namespace {

/// What workers hold behind slow items.
bool release_batches(visit& v, clock::time_point now) {
  bool more = false;
  for (worker* w : v->workers.all()) {
    if (w->has.items.count == 0) continue;
    const auto at_it = now - w->since;
    const bool late = at_it >= tuning::withhold_at_most;
    if (late && at_it > w->has.of->pace.cost) distrust_estimate(v, *w->has.of);
    if (w->has.items.count == 1) continue;
    if (!late)
      more = true;
    else if (w->has.of->work->whole)
      more = settle_delivered(v, *w) != 0 || more;
    else
      split(v, *w);
  }
  return more;
}

/// What slow sources have pulled.
bool release_pulled(visit& v, clock::time_point now) {
  bool more = false;
  for (auto& [id, r] : v->runs) {
    if (!r->withholds()) continue;
    if (now - r->in.published_at >= tuning::withhold_at_most)
      hurry_source(v, *r, 1);
    else
      more = true;
  }
  return more;
}

/// Whether a task of this pool waits for a run that nobody is at. If that has been so for long, and no worker has come
/// by, there is to be a reserve: a worker more, which comes only for such runs and so cannot get stuck where the
/// others are.
bool rescue(visit& v, clock::time_point now) {
  if (!v->staff.any_blocked()) return false;
  const run* const r = most_forsaken(*v);
  if (r == nullptr) return false;
  const bool all_stuck =
      now - r->out.waits_since >= tuning::stuck && v->workers.none_since(now, tuning::stuck);
  const bool possible = v->staff.all_joined(v->workers.all().size()) && v->supervisor
                        && !v->phase.broken() && v->staff.may_start_reserve();
  if (!all_stuck || !possible) return true;
  v->staff.start_reserve();
  v.ring(v->supervisor);
  return true;
}

}  // namespace

bool release_withheld(visit& v, clock::time_point now) {
  bool more = release_batches(v, now);
  more = release_pulled(v, now) || more;
  for (auto& [id, r] : v->runs) {
    v.call_source(*r, urgency::at_once);
    v.call_sink(*r, urgency::at_once);
  }
  v.call_worker(v->workers.someone_soon(v.now()) ? urgency::usual : urgency::at_once);
  return rescue(v, now) || more;
}

void tick_in_passing(visit& v, clock::time_point now) {
  if (!v->tick.due_in_passing(now)) return;
  v->tick.passed(now);
  resume_due(v, now);
  release_withheld(v, now);
}

}  // namespace fmap::kernel
