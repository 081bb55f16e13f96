// SPDX-License-Identifier: BSD-3-Clause
// The ledger's runs: their tokens, what of them is queued or ready, what they cost and have used.

#include "src/kernel/run_book.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace fmap::kernel {

// -- upstream -------------------------------------------------------------------

run_id run_book::open(const run_limits& limits) {
  account& r = runs_.add();
  r.limits = limits;
  r.wanted = limits.buffersize;
  r.counts.free = limits.buffersize;
  r.cost.expect(limits.expected_cost);
  r.growing.start(limits.expected_cost.count() > 0);
  return r.id;
}

std::uint64_t run_book::grant(run_id id, std::uint64_t wanted) {
  account* r = runs_.find(id);
  if (r == nullptr || r->ended || r->stopped) return 0;
  const std::uint64_t n = std::min(wanted, r->counts.free);
  r->counts.free -= n;
  r->counts.granted += n;
  r->check();
  return n;
}

void run_book::pulled(run_id id, std::uint32_t chunk, std::uint32_t count, bool alone) {
  account* r = runs_.find(id);
  assert(r != nullptr && count <= r->counts.granted && "pulled more than was granted");
  assert(!alone || count == 1);
  r->counts.granted -= count;
  const span items{
      .run = id, .chunk = chunk, .count = count, .first = r->counts.pulled, .alone = alone};
  r->counts.pulled += count;
  if (r->stopped) {
    r->drop(count);
  } else {
    enqueue(*r, items);
    r->counts.peak_in_flight = std::max(r->counts.peak_in_flight, r->in_flight());
  }
  r->check();
}

void run_book::end(run_id id) {
  account* r = runs_.find(id);
  if (r == nullptr) return;
  r->ended = true;
  r->release(std::exchange(r->counts.granted, 0));
  r->check();
}

void run_book::resize(run_id id, std::uint64_t buffersize) {
  account* r = runs_.find(id);
  if (r == nullptr || r->stopped) return;
  r->wanted = buffersize;
  const std::uint64_t more = buffersize - std::min(buffersize, r->limits.buffersize);
  r->limits.buffersize += more;
  r->release(more);
  r->check();
}

bool run_book::narrowing(run_id id) const {
  const account* r = runs_.find(id);
  return r != nullptr && r->limits.buffersize > r->wanted;
}

void run_book::give_back_excess(run_id id) {
  account* r = runs_.find(id);
  if (r == nullptr || r->limits.buffersize <= r->wanted) return;
  r->release(std::exchange(r->counts.granted, 0));
  r->check();
}

// -- cost and time --------------------------------------------------------------

void run_book::doubt(run_id id) {
  account* r = runs_.find(id);
  if (r == nullptr) return;
  r->cost.distrust();
  r->growing.start(false);
}

void run_book::charge(run_id id, duration took) {
  if (account* r = runs_.find(id)) r->used.charge(static_cast<double>(took.count()));
}

// -- downstream -----------------------------------------------------------------

span run_book::next_ready(run_id id) {
  account* r = runs_.find(id);
  if (r == nullptr || !r->has_ready()) return {};
  const span result = r->ready.pop();
  // Of what was handed out before nobody asks any more.
  if (!r->deaths.empty())
    r->deaths.erase(r->deaths.lower_bound(r->handed_out.first),
                    r->deaths.lower_bound(r->handed_out.end()));
  r->handed_out = result;
  r->next_out = result.end();
  return result;
}

void run_book::taken(run_id id, std::uint64_t count) {
  account* r = runs_.find(id);
  if (r == nullptr || r->stopped) return;
  assert(count <= r->counts.ready && "took more than was ready");
  r->counts.ready -= count;
  r->counts.taken += count;
  r->release(count);
  r->check();
}

// -- items that wait -------------------------------------------------------------

void run_book::resume(run_id id, std::uint64_t index) {
  account* r = runs_.find(id);
  if (r == nullptr) return;
  const auto found = r->waiting.find(index);
  if (found == r->waiting.end()) return;
  enqueue(*r, found->second);
  r->waiting.erase(found);
  --r->counts.waiting;
  --waiting_;
  r->check();
}

// -- questions ------------------------------------------------------------------

bool run_book::stopped(run_id id) const {
  const account* r = runs_.find(id);
  return r == nullptr || r->stopped;
}

bool run_book::has_ready(run_id id) const {
  const account* r = runs_.find(id);
  return r != nullptr && r->has_ready();
}

const run_counts& run_book::counts(run_id id) const {
  static constexpr run_counts nothing;
  const account* r = runs_.find(id);
  return r != nullptr ? r->counts : nothing;
}

std::uint64_t run_book::buffersize(run_id id) const {
  const account* r = runs_.find(id);
  return r != nullptr ? r->limits.buffersize : 0;
}

bool run_book::drained(run_id id) const {
  const run_counts& c = counts(id);
  return c.granted == 0 && c.queued == 0 && c.held == 0 && c.waiting == 0;
}

run_book::duration run_book::cost(run_id id) const {
  const account* r = runs_.find(id);
  return r != nullptr ? r->cost.rounded() : duration{};
}

bool run_book::measured(run_id id) const {
  const account* r = runs_.find(id);
  return r != nullptr && r->cost.measured();
}

run_book::duration run_book::queued_time() const {
  double ns = 0;
  for (const account* r : runnable_) {
    if (r->cost.each() <= 0) return duration::max();
    ns += static_cast<double>(r->counts.queued) * r->cost.each();
  }
  return duration{static_cast<std::int64_t>(std::min(ns, 1e18))};
}

std::uint32_t run_book::attempts(run_id id, std::uint64_t index) const {
  const account* r = runs_.find(id);
  if (r == nullptr) return 1;
  auto it = r->deaths.find(index);
  if (it == r->deaths.end()) return 1;
  return std::min(it->second + 1, std::max(r->limits.max_attempts, 1u));
}

// -- pieces -----------------------------------------------------------------------

void run_book::enqueue(account& r, const span& s, worker_id not_by) {
  if (r.nothing_queued()) {
    clock_.enter(r.used);
    runnable_.push_back(&r);
  }
  queued_ += s.count;
  r.counts.queued += s.count;
  if (!s.alone) {
    r.queue.insert(s);
    return;
  }
  suspects_ += s.count;
  const auto at =
      std::upper_bound(r.suspects.begin(), r.suspects.end(), s.first,
                       [](std::uint64_t first, const suspect& x) { return first < x.item.first; });
  r.suspects.insert(at, {s, not_by});
}

void run_book::drop_all(account& r) {
  queued_ -= r.counts.queued;
  suspects_ -= r.suspects.size();
  waiting_ -= r.counts.waiting;
  r.drop(r.counts.queued + r.counts.waiting + r.counts.ready);
  r.counts.queued = r.counts.waiting = r.counts.ready = 0;
  r.queue.clear();
  r.waiting.clear();
  r.suspects.clear();
  r.ready.clear();
  std::erase(runnable_, &r);
}

}  // namespace fmap::kernel
