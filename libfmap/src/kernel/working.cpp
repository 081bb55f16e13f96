// SPDX-License-Identifier: BSD-3-Clause
// How a worker works: pulls for others, takes, executes, settles, looks.

#include "src/kernel/working.hpp"

#include <utility>

#include <unistd.h>

#include "src/kernel/filling.hpp"
#include "src/kernel/scenes.hpp"
#include "src/kernel/settling.hpp"
#include "src/kernel/stopwatch.hpp"
#include "src/kernel/withheld.hpp"

namespace fmap::kernel {

namespace {

/// Pulls of the input that has waited for a worker for longest. False: there is none.
bool pull_next(visit& v) {
  while (!v->pulls.empty()) {
    run& r = v->pulls.next();
    if (pullable(*v, r) == 0) continue;
    fetch_at_hand(v, r);
    return true;
  }
  return false;
}

/// The run that a reserve comes for. Pulls for it if need be.
run* rescue_next(worker& w, visit& v) {
  run* const r = most_forsaken(*v);
  if (r == nullptr) return nullptr;
  r->out.rescued_at = w.since;
  if (pullable(*v, *r) != 0) fetch_at_hand(v, *r);
  return r;
}

/// Rather than sleep, a worker pulls what there are tokens for, however few. False: there are none.
bool line_up_all(visit& v) {
  for (auto& [id, r] : v->runs) line_up(v, *r, tokens::any);
  return !v->pulls.empty();
}

/// Waits for something to do, but not for long. False: there was nothing.
bool look(worker& w, patience how, visit& v) {
  auto& something = v->workers.something_to_do;
  const auto there = [&something] { return something.load(std::memory_order_relaxed); };
  something.store(false, std::memory_order_relaxed);
  if (how == patience::forgets) v->workers.begins_to_look();
  const bool seen = v.outside([&] {
    return how == patience::forgets ? w.spin.wait(there)
                                    : w.spin.wait_briefly(there, tuning::others_turn);
  });
  if (how == patience::forgets) v->workers.ends_to_look();
  v->workers.comes(w, v.now());
  return seen;
}

/// The child of an item that forked, and that came back here, is nobody's worker.
void leave_if_forked(visit& v) {
  if (v.mailbox().home.left()) ::_exit(0);
}

/// For a batch that is one call.
class settling_early final : public detail::early_outcomes {
public:
  settling_early(shared_mailbox& box, worker& w) : box_{box}, worker_{w} {}
  void settle() noexcept override {
    visit v{box_};
    settle_delivered(v, worker_);
    v.want_tick();  // for what is delivered next, if the call is silent after that
    tick_in_passing(v, v.now());
  }

private:
  shared_mailbox& box_;
  worker& worker_;
};

/// Runs the batch that the worker has taken, also what others split from it between claim and run. Returns how long
/// that took, and when it was done.
struct executed {
  clock::duration took{};
  clock::time_point done{};
};
executed execute(worker& w, visit& v) {
  run& r = *w.has.of;
  chunk& c = *w.has.in;
  std::uint32_t offset = c.offset(w.has.items.first);
  const bool heavy = cost_sampler::heavy(r.pace.cost);
  w.has.measured_well = r.sampler.next(heavy);
  const bool careful = heavy && w.has.measured_well;
  settling_early early{v.mailbox(), w};
  if (r.work->whole) w.at.early = &early;
  executed result;
  for (;;) {
    v.outside([&] {
      const stopwatch watch{careful};
      {
        const batch_at_work here{w.at};
        offset = r.work->apply(c, offset, w.at, w.place);
      }
      leave_if_forked(v);
      result.done = clock::now();
      result.took += watch.read(result.done);
    });
    if (c.first + offset >= w.has.items.end()) return result;
    // The batch was split between claim and run: the claimed item is still this worker's.
    w.at.keep(offset);
  }
}

/// What a worker still holds is finished.
void settle(worker& w, const executed& e, visit& v) {
  run& r = *w.has.of;
  w.since = e.done;
  const own_batch done = std::exchange(w.has, {});
  if (r.work->asynchronous) return;
  if (w.at.passed_over) {  // that tells nothing of what an item costs
    finish(v, r, w.id, done.items.first, done.items.count, {}, false);
  } else {
    clock::duration took = e.took;
    if (done.settled != 0) {  // what has been settled early has taken its part of the time
      took -= e.took * done.settled / done.taken;
      v->ledger.charge(r.id, e.took - took);
    }
    finish(v, r, w.id, done.items.first, done.items.count, took, done.measured_well);
  }
  settle_ready(v, r);
  w.last = r.pace.size;
  tick_in_passing(v, e.done);
}

/// Takes a batch, tells others of what is left, runs it and settles.
void work_on(worker& w, const span& s, visit& v) {
  run& r = *v->runs.at(s.run);
  chunk& c = r.chunks.at(s.chunk);
  w.has = {&r, &c, s, false, s.count, 0};
  const std::uint32_t offset = c.offset(s.first);
  w.at.fenced = r.pace.cost >= tuning::full_fence_from;
  w.at.start(offset, offset + s.count);
  line_up(v, r);
  v.call_worker();
  if (s.count > 1) v.want_tick();
  settle(w, execute(w, v), v);
  if (!somebody_looks(*v, r)) return;
  // Lets those run who look for what this worker has done.
  v.outside([&] { w.spin.give_way(); });
  v->workers.comes(w, v.now());
}

}  // namespace

void work_all(worker& w, visit& v) {
  for (bool worked = false; !v->phase.broken() && !v->staff.must_shrink();) {
    if (pull_next(v)) v->workers.comes(w, v.now());
    if (v->phase.broken()) return;
    if (const span s = v->ledger.take(w.id)) {
      work_on(w, s, v);
      worked = true;
      continue;
    }
    if (!v->pulls.empty()) continue;
    const patience how = worked && !v->phase.closing()
                             ? lingers(role::worker, w.last, v->workers.another_looks())
                             : patience::none;
    if (how != patience::none)
      worked = look(w, how, v);
    else if (!line_up_all(v))
      return;
  }
}

void work_as_reserve(worker& w, visit& v) {
  while (!v->phase.broken()) {
    const run* const only = rescue_next(w, v);
    if (only == nullptr || v->phase.broken()) return;
    const span s = v->ledger.take(w.id, only->id);
    if (!s) return;
    work_on(w, s, v);
  }
}

}  // namespace fmap::kernel
