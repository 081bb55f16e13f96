// SPDX-License-Identifier: BSD-3-Clause
// The ledger as workers see it: they take batches and say what became of them.

#include <algorithm>
#include <cassert>
#include <utility>

#include "src/kernel/ledger.hpp"
#include "src/kernel/ledger_release.hpp"

namespace fmap::kernel {

span ledger::take(worker_id id, run_id only, bool whatever) {
  worker_state* w = workers_.find(id);
  if (w == nullptr || w->now == filling::suspect) return {};
  if (suspects_ != 0 || w->now != filling::up) {
    fill(*w, must_empty(*w) ? filling::until_empty : filling::up);
    if (w->now != filling::up) return {};
  }
  const offer best = best_offer(*w, only, whatever);
  if (best.of == nullptr) return {};
  account& r = *best.of;
  span batch;
  if (!r.suspects.empty()) batch = next_suspect(r, *w);
  if (!batch) batch = next_batch(r, *w, best.room);
  dequeued(r, batch.count);
  // What it will probably cost is charged now, so that the next visitor sees it; corrected later.
  clock_.serve(r.used);
  const held_span held{batch, r.charge()};
  r.used.charge(batch.count * held.charge);
  hold(*w, r, held);
  r.check();
  return batch;
}

span ledger::next_batch(account& r, const worker_state& w, std::uint32_t room) {
  const std::uint32_t most = std::min(r.queue.front().count, room);
  if (r.limits.whole) return r.queue.pop(whole_batch(scene_of(r, w), most, w.shape));
  if (r.limits.chunksize != 0) return r.queue.pop(std::min(most, r.limits.chunksize));
  return r.queue.pop(batch_size({.cost = r.cost.each(),
                                 .queued = r.counts.queued,
                                 .buffersize = r.limits.buffersize,
                                 .growing = r.growing.most(),
                                 .weights = weights_,
                                 .most = most,
                                 .held = w.items},
                                w.shape));
}

span ledger::next_suspect(account& r, worker_state& w) {
  const auto found = suspect_for(r, w);
  if (found == r.suspects.end()) return {};
  const span result = found->item;
  r.suspects.erase(found);
  --suspects_;
  if (!w.shape.is_node) fill(w, filling::suspect);
  return result;
}

void ledger::hold(worker_state& w, account& r, const held_span& s) {
  w.held.add(s);
  w.items += s.count;
  held_ += s.count;
  r.counts.held += s.count;
}

std::uint32_t ledger::finished(worker_id worker, run_id run, std::uint64_t first,
                               std::uint32_t count, duration took, bool teaches) {
  worker_state* w = workers_.find(worker);
  account* r = runs_.find(run);
  if (w == nullptr || r == nullptr) return 0;
  const std::uint32_t n = release(*w, *r, first, count, [&](const held_span& s) {
    r->used.refund(s.count * s.charge);
    if (r->stopped)
      r->drop(s.count);
    else
      r->make_ready(s);
  });
  if (n == 0) return 0;
  r->used.charge(static_cast<double>(took.count()));
  if (teaches) {
    r->cost.learn(n, took);
    r->growing.finished(n);
  }
  r->check();
  return n;
}

void ledger::give_back(worker_id worker, run_id run, std::uint64_t first, std::uint32_t count) {
  worker_state* w = workers_.find(worker);
  if (w == nullptr) return;
  w->recalled = false;
  account* r = runs_.find(run);
  if (r == nullptr) return;
  release(*w, *r, first, count, [&](const held_span& s) {
    r->used.refund(s.count * s.charge);
    if (r->stopped)
      r->drop(s.count);
    else
      enqueue(*r, s);
  });
  r->check();
}

bool ledger::put_off(worker_id worker, run_id run, std::uint64_t index) {
  worker_state* w = workers_.find(worker);
  account* r = runs_.find(run);
  if (w == nullptr || r == nullptr) return false;
  const auto placed = r->waiting.emplace(index, span{});  // it may throw: nothing has changed yet
  if (!placed.second) return false;
  const auto place = placed.first;
  const std::uint32_t n = release(*w, *r, index, 1, [&](const held_span& s) {
    r->used.refund(s.charge);
    place->second = s;
  });
  if (n != 0 && !r->stopped) {
    ++r->counts.waiting;
    ++waiting_;
  } else {
    r->waiting.erase(place);
    r->drop(n);
  }
  r->check();
  return n != 0;
}

std::uint32_t ledger::pass_on(worker_id from, worker_id to, run_id run, std::uint64_t first,
                              std::uint32_t count) {
  worker_state* giver = workers_.find(from);
  worker_state* taker = workers_.find(to);
  account* r = runs_.find(run);
  if (giver == nullptr || taker == nullptr || r == nullptr) return 0;
  const std::uint32_t n = release(*giver, *r, first, count, [&](const held_span& s) {
    if (r->stopped)
      r->drop(s.count);
    else
      hold(*taker, *r, s);
  });
  r->check();
  return r->stopped ? 0 : n;
}

void ledger::drop(worker_id worker, run_id run, std::uint64_t first, std::uint32_t count) {
  worker_state* w = workers_.find(worker);
  account* r = runs_.find(run);
  if (w == nullptr || r == nullptr) return;
  r->drop(release(*w, *r, first, count, [](const held_span&) {}));
  r->check();
}

}  // namespace fmap::kernel
