// SPDX-License-Identifier: BSD-3-Clause
// The ledger: workers come and are lost, and runs stop.

#include "src/kernel/ledger.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "src/kernel/ledger_release.hpp"

namespace fmap::kernel {

// -- workers --------------------------------------------------------------------

worker_id ledger::add_worker(const worker_shape& shape) {
  worker_state& w = workers_.add();
  w.shape = shape;
  w.shape.capacity = std::max(shape.capacity, 1u);
  weights_ += shape.weight;
  if (shape.weight != 0) ++able_;
  if (shape.is_node) ++nodes_;
  return w.id;
}

worker_id ledger::add_worker(std::uint32_t capacity, std::uint32_t weight, duration batch_time,
                             std::uint32_t depth) {
  return add_worker(
      {.capacity = capacity, .weight = weight, .batch_time = batch_time, .depth = depth});
}

void ledger::set_hold(worker_id id, duration hold) {
  if (worker_state* w = workers_.find(id)) w->shape.hold = hold;
}

std::vector<casualty> ledger::remove_worker(worker_id id,
                                            const std::function<mark(run_id, std::uint64_t)>& what,
                                            worker_id heir) {
  std::vector<casualty> result;
  const auto lost = workers_.remove(id);
  if (!lost) return result;
  fill(*lost, filling::up);
  weights_ -= lost->shape.weight;
  if (lost->shape.weight != 0) --able_;
  if (lost->shape.is_node) --nodes_;
  worker_state* const h = workers_.find(heir);
  for (const held_span& s : lost->held) {
    account& r = *runs_.find(s.run);
    held_ -= s.count;
    r.counts.held -= s.count;
    if (r.stopped) {
      r.drop(s.count);
      continue;
    }
    for (std::uint64_t index = s.first; index != s.end(); ++index) {
      const mark seen = what ? what(s.run, index) : mark::waiting;
      const auto ends = lose(r, part<span>(s, index, index + 1), seen, lost->items == 1, 0);
      if (!ends) continue;
      result.push_back(*ends);
      bequeath(r, ends->item, h);
    }
    r.check();
  }
  return result;
}

std::optional<casualty> ledger::died(worker_id worker, run_id run, std::uint64_t index, mark seen,
                                     worker_id heir) {
  worker_state* w = workers_.find(worker);
  account* r = runs_.find(run);
  if (w == nullptr || r == nullptr) return {};
  // Who tells of its items one by one says itself which one is to blame.
  const bool held_alone = w->items == 1 && seen != mark::unknown;
  span item;
  release(*w, *r, index, 1, [&](const held_span& s) { item = s; });
  std::optional<casualty> ends;
  if (item && r->stopped) r->drop(1);
  if (item && !r->stopped) ends = lose(*r, item, seen, held_alone, worker);
  if (ends) bequeath(*r, item, workers_.find(heir));
  r->check();
  return ends;
}

/// What ends is ready, or held by the heir.
void ledger::bequeath(account& r, const span& item, worker_state* heir) {
  if (heir != nullptr)
    hold(*heir, r, {item, 0});
  else
    r.make_ready(item);
}

/// Decides on an item that a worker held: queues it again, or says why it ends.
std::optional<casualty> ledger::lose(account& r, span item, mark seen, bool held_alone,
                                     worker_id not_by) {
  const auto known = r.deaths.find(item.first);
  std::uint32_t deaths = known != r.deaths.end() ? known->second : 0;
  const judgement j = judge({.seen = seen,
                             .held_alone = held_alone,
                             .was_alone = item.alone,
                             .deaths = deaths,
                             .max_attempts = r.limits.max_attempts});
  if (j.charged) r.deaths[item.first] = ++deaths;
  using reason = casualty::reason;
  switch (j.what) {
    case verdict::expired: return casualty{item, attempts(r.id, item.first), reason::expired};
    case verdict::result_lost: return casualty{item, 1, reason::result_lost};
    case verdict::quarantined:
      ++r.counts.quarantined;
      return casualty{item, deaths, reason::quarantined};
    case verdict::retry_alone: ++r.counts.retried; break;
    case verdict::requeue:
    case verdict::requeue_alone: break;
  }
  item.alone = j.what != verdict::requeue;
  enqueue(r, item, not_by);
  return {};
}

// -- ends of runs -----------------------------------------------------------------

void ledger::stop(run_id id) {
  account* r = runs_.find(id);
  if (r == nullptr || r->stopped) return;
  r->stopped = true;
  drop_all(*r);
  if (nodes_ != 0 && r->counts.held != 0) {
    workers_.for_each([&](worker_state& w) {
      if (!w.shape.is_node) return;
      std::uint32_t n = 0;
      w.held.remove(id, 0, r->counts.pulled, [&](const held_span& s) { n += s.count; });
      if (n == 0) return;
      w.items -= n;
      held_ -= n;
      r->counts.held -= n;
      r->drop(n);
      w.forgotten.push_back(id);
    });
  }
  r->check();
}

void ledger::close(run_id id) {
  assert(drained(id) && "closing a run with items in flight");
  stop(id);
  runs_.remove(id);
}

// -- nodes ------------------------------------------------------------------------

bool ledger::forgotten(worker_id worker, run_id run) const {
  const worker_state* w = workers_.find(worker);
  return w != nullptr
         && std::find(w->forgotten.begin(), w->forgotten.end(), run) != w->forgotten.end();
}

void ledger::confirmed(worker_id worker, run_id run) {
  if (worker_state* w = workers_.find(worker)) std::erase(w->forgotten, run);
}

recall ledger::recall_for(worker_id idle) {
  const worker_state* i = workers_.find(idle);
  if (i == nullptr || queued_ != 0 || i->items >= i->shape.weight) return {};
  worker_state* fullest = nullptr;
  const auto waiting = [](const worker_state& w) {  // for each thread
    const double weight = std::max(w.shape.weight, 1u);
    return (w.items - weight) / weight;
  };
  workers_.for_each([&](worker_state& w) {
    if (&w == i || w.recalled || !w.shape.by_message() || waiting(w) <= 0) return;
    if (fullest == nullptr || waiting(w) > waiting(*fullest)) fullest = &w;
  });
  if (fullest == nullptr) return {};
  fullest->recalled = true;
  // As many as leave both with the same for each thread.
  const std::uint64_t weight = std::max(fullest->shape.weight, 1u);
  const std::uint64_t all = std::uint64_t{fullest->items} + i->items,
                      weights = weight + i->shape.weight;
  const std::uint64_t fair = (all * i->shape.weight + weights - 1) / weights;
  const std::uint64_t count =
      std::clamp<std::uint64_t>(fair > i->items ? fair - i->items : 1, 1, fullest->items - weight);
  return {fullest->id, static_cast<std::uint32_t>(count)};
}

std::uint64_t ledger::useful_bound(run_id id) const {
  const account* r = runs_.find(id);
  if (r == nullptr) return 0;
  std::uint64_t result = 0;
  workers_.for_each(
      [&](const worker_state& w) { result += tokens_for(r->measured_cost(), w.shape); });
  return std::min(result, tuning::largest_bound);
}

// -- questions --------------------------------------------------------------------

const held_spans& ledger::held_by(worker_id id) const {
  static const auto& nothing = *new held_spans;  // never destroyed: there are pools at exit
  const worker_state* w = workers_.find(id);
  return w != nullptr ? w->held : nothing;
}

}  // namespace fmap::kernel
