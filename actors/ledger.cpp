// SPDX-License-Identifier: BSD-3-Clause
// The ledger: who holds which item of which run, and who gets what next.

#include "actors/ledger.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace fmap::actors {

namespace {

/// A batch of a run in which nothing has been measured yet: if nothing is expected either, or at most if something
/// is; and how fast batches may grow from there.
constexpr std::uint32_t first_batch = 1, first_expected = 256, growth_factor = 4,
                        largest_batch = 1u << 16;

/// What an item is charged at most while nothing has been measured.
constexpr double assumed_cost = 75'000;

/// For less than so many nanoseconds of work nobody is to visit; nor for less than so many where there is enough.
constexpr double worth_a_visit = 10'000, visit_time = 20'000;

/// A message should be worth so much time; and to be sent takes an item some time, too.
constexpr double message_time = 20'000, least_cost = 50;

/// A lower cost that was expected counts as so many measured items.
constexpr double expectation_weight = 8;

/// The measured cost follows changes within about this many items.
constexpr double cost_memory = 512;

bool adjacent(const span& a, const span& b) {
  return a.chunk == b.chunk && a.end() == b.first && !a.alone && !b.alone;
}

span part(const span& whole, std::uint64_t first, std::uint64_t end) {
  span result = whole;
  result.first = first;
  result.count = static_cast<std::uint32_t>(end - first);
  return result;
}

bool before(const span& a, const span& b) { return a.first < b.first; }

bool any_alone(const std::vector<span>& held) {
  return std::any_of(held.begin(), held.end(), [](const span& s) { return s.alone; });
}

}  // namespace

// -- workers --------------------------------------------------------------------

worker_id ledger::add_worker(std::uint32_t capacity, std::uint32_t weight, duration batch_time,
                             std::uint32_t depth) {
  worker_state& w = workers_[++last_worker_];
  w.capacity = std::max(capacity, 1u);
  w.weight = weight;
  w.batch_time = batch_time;
  w.depth = depth;
  weights_ += weight;
  return last_worker_;
}

std::vector<casualty> ledger::remove_worker(worker_id id,
                                            const std::function<mark(run_id, std::uint64_t)>& what,
                                            worker_id heir) {
  std::vector<casualty> result;
  auto it = workers_.find(id);
  if (it == workers_.end()) return result;
  const worker_state lost = std::move(it->second);
  weights_ -= lost.weight;
  workers_.erase(it);
  const auto ends = [&](run_state& r, const span& item, std::uint32_t attempts,
                        casualty::reason why) {
    result.push_back({item, attempts, why});
    if (worker_state* w = find_worker(heir)) {
      w->held.push_back(item);
      ++w->items;
      ++held_;
      ++r.counts.held;
    } else {
      make_ready(r, item);
    }
  };
  for (const span& s : lost.held) {
    run_state& r = *find(s.run);
    held_ -= s.count;
    r.counts.held -= s.count;
    if (r.stopped) {
      r.counts.dropped += s.count;
      r.counts.free += s.count;
      continue;
    }
    const std::uint32_t most = std::max(r.limits.max_attempts, 1u);
    for (std::uint64_t index = s.first; index != s.end(); ++index) {
      span item = part(s, index, index + 1);
      item.charge = 0;
      mark m = what(s.run, index);
      // Without a witness the only one held is to blame; of several, each runs alone from now on.
      const bool suspect = m == mark::unknown && lost.items > 1;
      if ((m == mark::unknown && !suspect) || (m == mark::finished && s.alone)) m = mark::running;
      if (m == mark::expired) {
        ends(r, item, attempts(r.id, index), casualty::reason::expired);
      } else if (m == mark::running) {
        const std::uint32_t deaths = ++r.deaths[index];
        if (deaths >= most) {
          ++r.counts.quarantined;
          ends(r, item, deaths, casualty::reason::quarantined);
          continue;
        }
        ++r.counts.retried;
        item.alone = true;
        enqueue(r, item);
      } else if (most == 1 && m != mark::waiting) {
        ends(r, item, 1, casualty::reason::result_lost);
      } else if (m == mark::finished) {
        const std::uint32_t deaths = ++r.deaths[index];
        item.alone = deaths >= 2 || deaths + 1 >= most;
        enqueue(r, item);
      } else {
        item.alone = s.alone || suspect;
        enqueue(r, item);
      }
    }
    assert_invariants(r);
  }
  return result;
}

bool ledger::full(worker_id id) const {
  auto it = workers_.find(id);
  if (it == workers_.end()) return true;
  const worker_state& w = it->second;
  return w.items >= w.capacity || any_alone(w.held)
         || (!runnable_.empty() && std::none_of(runnable_.begin(), runnable_.end(), [&](auto* r) {
              return may_take(*r, w);
            }));
}

bool ledger::wants(worker_id id) const {
  auto it = workers_.find(id);
  if (it == workers_.end()) return false;
  const worker_state& w = it->second;
  return w.items < w.capacity && !any_alone(w.held)
         && std::any_of(runnable_.begin(), runnable_.end(),
                        [&](auto* r) { return wants(*r, w, false); });
}

// -- upstream -------------------------------------------------------------------

run_id ledger::open(const run_limits& limits) {
  run_state& r = runs_[++last_run_];
  r.id = last_run_;
  r.limits = limits;
  r.counts.free = limits.buffersize;
  r.growth = limits.expected_cost.count() > 0 ? first_expected : first_batch;
  return r.id;
}

std::uint64_t ledger::grant(run_id id, std::uint64_t wanted) {
  run_state* r = find(id);
  if (r == nullptr || r->ended || r->stopped) return 0;
  const std::uint64_t n = std::min(wanted, r->counts.free);
  r->counts.free -= n;
  r->counts.granted += n;
  assert_invariants(*r);
  return n;
}

void ledger::pulled(run_id id, std::uint32_t chunk, std::uint32_t count) {
  run_state* r = find(id);
  assert(r != nullptr && count <= r->counts.granted && "pulled more than was granted");
  r->counts.granted -= count;
  const span items{id, chunk, r->counts.pulled, count};
  r->counts.pulled += count;
  if (r->stopped) {
    r->counts.dropped += count;
    r->counts.free += count;
  } else {
    enqueue(*r, items);
    r->counts.peak_in_flight = std::max(r->counts.peak_in_flight, r->in_flight());
  }
  assert_invariants(*r);
}

void ledger::end(run_id id) {
  run_state* r = find(id);
  if (r == nullptr) return;
  r->ended = true;
  r->counts.free += r->counts.granted;
  r->counts.granted = 0;
  assert_invariants(*r);
}

void ledger::widen(run_id id, std::uint64_t buffersize) {
  run_state* r = find(id);
  if (r == nullptr || r->stopped || buffersize <= r->limits.buffersize) return;
  r->counts.free += buffersize - r->limits.buffersize;
  r->limits.buffersize = buffersize;
  assert_invariants(*r);
}

// -- workers' visits --------------------------------------------------------------

/// Whether a worker may have what is first in a run's queue. A suspect waits for one that holds nothing,
/// and what is behind it waits too: a worker that is always topped up would never come to hold nothing.
bool ledger::may_take(const run_state& r, const worker_state& w) const {
  return (w.items == 0 || !r.queue.front().alone) && room(r, w) != 0;
}

/// Whether what is queued of a run is worth sending to a worker that is not asked for each batch in turn.
/// Of tiny items some are waited for, as long as others are under way.
bool ledger::worth_a_message(const run_state& r, const worker_state& w) const {
  if (w.depth == 0 || !r.measured() || r.counts.held == 0) return true;
  const double many = message_time / std::max(r.cost(), least_cost);
  const double some = static_cast<double>(r.limits.buffersize) / 8;
  return static_cast<double>(r.counts.queued) >= std::min(many, some);
}

bool ledger::wants(const run_state& r, const worker_state& w, bool whatever) const {
  return may_take(r, w) && (whatever || worth_a_message(r, w));
}

std::uint32_t ledger::batch_size(const run_state& r, const worker_state& w) const {
  if (r.limits.chunksize != 0) return r.limits.chunksize;
  const std::uint64_t weight = std::max<std::uint64_t>(w.weight, 1);
  const std::uint64_t weights = std::max<std::uint64_t>(weights_, 1);
  const auto lasting = [&](double ns) {
    return static_cast<std::uint64_t>(
        std::clamp<double>(r.cost() > 0 ? ns / r.cost() : first_batch, 1, largest_batch));
  };
  // What is not worth anybody else's visit is not shared.
  const std::uint64_t least =
      w.depth == 0 ? std::max(lasting(worth_a_visit),
                              std::min(lasting(visit_time), r.limits.buffersize / (2 * weights)))
                   : 1;
  const std::uint64_t share = std::max((r.counts.queued * weight + weights - 1) / weights, least);
  const std::uint64_t timed = lasting(static_cast<double>(w.batch_time.count()));
  const std::uint64_t growing = std::uint64_t{r.growth} * weight;
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, std::min({share, timed, growing})));
}

/// How many more items of a run this worker may hold now: of slow items so few that the others get
/// their share.
std::uint32_t ledger::room(const run_state& r, const worker_state& w) const {
  std::uint64_t most = w.capacity;
  if (w.depth != 0) {
    std::uint64_t each = 1;  // for each of its threads
    if (r.measured()) {
      const double batches =
          static_cast<double>(w.depth) * static_cast<double>(w.batch_time.count());
      const double fitting = batches / r.cost();
      // A second one bridges the way there and back, unless that does not count.
      each = fitting < 0.1
                 ? 1
                 : static_cast<std::uint64_t>(std::clamp<double>(fitting, 2, largest_batch));
    }
    most = std::min<std::uint64_t>(most, each * std::max(w.weight, 1u));
  }
  return static_cast<std::uint32_t>(most > w.items ? most - w.items : 0);
}

span ledger::take(worker_id id, run_id only, bool whatever) {
  worker_state* w = find_worker(id);
  if (w == nullptr || any_alone(w->held)) return {};
  run_state* best = nullptr;
  for (run_state* r : runnable_) {
    if (only != 0 && r->id != only) continue;
    if (best != nullptr
        && std::pair{best->vtime, best->counts.held} <= std::pair{r->vtime, r->counts.held})
      continue;
    if (wants(*r, *w, whatever)) best = r;
  }
  if (best == nullptr) return {};
  span& from = best->queue.front();
  const std::uint32_t n = std::min({from.count, batch_size(*best, *w), room(*best, *w)});
  span batch = part(from, from.first, from.first + n);
  from.first += n;
  from.count -= n;
  if (from.count == 0) best->queue.pop_front();
  queued_ -= n;
  held_ += n;
  best->counts.queued -= n;
  best->counts.held += n;
  if (best->queue.empty()) std::erase(runnable_, best);
  // What it will probably cost is charged now, so that the next visitor sees it; corrected later.
  vclock_ = std::max(vclock_, best->vtime);
  batch.charge = best->cost() > 0 ? best->cost() : assumed_cost;
  if (!best->measured()) batch.charge = std::min(batch.charge, assumed_cost);
  best->vtime += n * batch.charge;
  w->items += n;
  w->held.push_back(batch);
  assert_invariants(*best);
  return batch;
}

/// Takes the parts of [first, first + count) that the worker holds out of its hands.
std::uint32_t ledger::release(worker_state& w, run_state& r, std::uint64_t first,
                              std::uint32_t count, std::vector<span>& pieces) {
  std::uint32_t released = 0;
  const std::uint64_t end = first + count;
  for (std::size_t i = 0; i < w.held.size();) {
    const span s = w.held[i];
    const std::uint64_t from = std::max(s.first, first), to = std::min(s.end(), end);
    if (s.run != r.id || from >= to) {
      ++i;
      continue;
    }
    pieces.push_back(part(s, from, to));
    released += static_cast<std::uint32_t>(to - from);
    w.held.erase(w.held.begin() + static_cast<std::ptrdiff_t>(i));
    if (s.first < from)
      w.held.insert(w.held.begin() + static_cast<std::ptrdiff_t>(i++), part(s, s.first, from));
    if (to < s.end())
      w.held.insert(w.held.begin() + static_cast<std::ptrdiff_t>(i++), part(s, to, s.end()));
  }
  w.items -= released;
  held_ -= released;
  r.counts.held -= released;
  return released;
}

std::uint32_t ledger::finished(worker_id worker, run_id run, std::uint64_t first,
                               std::uint32_t count, duration took, bool teaches) {
  worker_state* w = find_worker(worker);
  run_state* r = find(run);
  if (w == nullptr || r == nullptr) return 0;
  scratch_.clear();
  const std::uint32_t n = release(*w, *r, first, count, scratch_);
  if (n == 0) return 0;
  r->vtime += static_cast<double>(took.count());
  if (teaches) learn(*r, n, took);
  for (const span& s : scratch_) {
    r->vtime -= s.count * s.charge;
    if (r->stopped) {
      r->counts.dropped += s.count;
      r->counts.free += s.count;
    } else {
      make_ready(*r, s);
    }
  }
  assert_invariants(*r);
  return n;
}

void ledger::doubt(run_id id) {
  run_state* r = find(id);
  if (r == nullptr) return;
  r->limits.expected_cost = {};
  r->cost_ns = r->cost_items = 0;
  r->growth = first_batch;
}

void ledger::charge(run_id id, duration took) {
  if (run_state* r = find(id)) r->vtime += static_cast<double>(took.count());
}

void ledger::give_back(worker_id worker, run_id run, std::uint64_t first, std::uint32_t count) {
  worker_state* w = find_worker(worker);
  run_state* r = find(run);
  if (w == nullptr || r == nullptr) return;
  scratch_.clear();
  release(*w, *r, first, count, scratch_);
  for (const span& s : scratch_) {
    r->vtime -= s.count * s.charge;
    if (r->stopped) {
      r->counts.dropped += s.count;
      r->counts.free += s.count;
    } else {
      enqueue(*r, s);
    }
  }
  assert_invariants(*r);
}

void ledger::drop(worker_id worker, run_id run, std::uint64_t first, std::uint32_t count) {
  worker_state* w = find_worker(worker);
  run_state* r = find(run);
  if (w == nullptr || r == nullptr) return;
  scratch_.clear();
  const std::uint32_t n = release(*w, *r, first, count, scratch_);
  r->counts.dropped += n;
  r->counts.free += n;
  assert_invariants(*r);
}

// -- downstream -------------------------------------------------------------------

span ledger::next_ready(run_id id) {
  run_state* r = find(id);
  if (r == nullptr || !has_ready(id)) return {};
  const span result = r->ready.front();
  r->ready.pop_front();
  // Of what was handed out before nobody asks any more.
  if (!r->deaths.empty())
    r->deaths.erase(r->deaths.lower_bound(r->handed_out.first),
                    r->deaths.lower_bound(r->handed_out.end()));
  r->handed_out = result;
  r->next_out = result.end();
  return result;
}

void ledger::taken(run_id id, std::uint64_t count) {
  run_state* r = find(id);
  if (r == nullptr || r->stopped) return;
  assert(count <= r->counts.ready && "took more than was ready");
  r->counts.ready -= count;
  r->counts.taken += count;
  r->counts.free += count;
  assert_invariants(*r);
}

void ledger::stop(run_id id) {
  run_state* r = find(id);
  if (r == nullptr || r->stopped) return;
  r->stopped = true;
  queued_ -= r->counts.queued;
  const std::uint64_t dropped = r->counts.queued + r->counts.ready;
  r->counts.dropped += dropped;
  r->counts.free += dropped;
  r->counts.queued = r->counts.ready = 0;
  r->queue.clear();
  r->ready.clear();
  std::erase(runnable_, r);
  assert_invariants(*r);
}

void ledger::close(run_id id) {
  assert(drained(id) && "closing a run with items in flight");
  stop(id);
  recent_ = nullptr;
  runs_.erase(id);
}

// -- questions --------------------------------------------------------------------

bool ledger::knows(run_id id) const { return runs_.contains(id); }

bool ledger::stopped(run_id id) const {
  const run_state* r = find(id);
  return r == nullptr || r->stopped;
}

bool ledger::has_ready(run_id id) const {
  const run_state* r = find(id);
  return r != nullptr && !r->ready.empty()
         && (!r->limits.ordered || r->ready.front().first == r->next_out);
}

run_counts ledger::counts(run_id id) const {
  const run_state* r = find(id);
  return r != nullptr ? r->counts : run_counts{};
}

std::uint64_t ledger::buffersize(run_id id) const {
  const run_state* r = find(id);
  return r != nullptr ? r->limits.buffersize : 0;
}

bool ledger::drained(run_id id) const {
  const run_state* r = find(id);
  return r == nullptr || (r->counts.granted == 0 && r->counts.queued == 0 && r->counts.held == 0);
}

ledger::duration ledger::cost(run_id id) const {
  const run_state* r = find(id);
  const double cost = r != nullptr ? r->cost() : 0;
  return duration{static_cast<std::int64_t>(std::ceil(cost))};
}

bool ledger::measured(run_id id) const {
  const run_state* r = find(id);
  return r != nullptr && r->measured();
}

ledger::duration ledger::queued_time() const {
  double ns = 0;
  for (const run_state* r : runnable_) {
    const double cost = r->cost();
    if (cost <= 0) return duration::max();
    ns += static_cast<double>(r->counts.queued) * cost;
  }
  return duration{static_cast<std::int64_t>(std::min(ns, 1e18))};
}

std::uint32_t ledger::attempts(run_id id, std::uint64_t index) const {
  const run_state* r = find(id);
  if (r == nullptr) return 1;
  auto it = r->deaths.find(index);
  if (it == r->deaths.end()) return 1;
  return std::min(it->second + 1, std::max(r->limits.max_attempts, 1u));
}

const std::vector<span>& ledger::held_by(worker_id id) const {
  static const auto& nothing = *new std::vector<span>;  // never destroyed: there are pools at exit
  auto it = workers_.find(id);
  return it != workers_.end() ? it->second.held : nothing;
}

bool ledger::audit() const {
  std::unordered_map<run_id, std::vector<span>> places;
  std::unordered_map<run_id, std::uint64_t> held;
  for (const auto& [id, w] : workers_) {
    std::uint64_t items = 0;
    for (const span& s : w.held) {
      items += s.count;
      held[s.run] += s.count;
      places[s.run].push_back(s);
    }
    if (items != w.items || items > w.capacity) return false;
  }
  for (const auto& [id, r] : runs_) {
    const run_counts& c = r.counts;
    if (c.free + c.granted + r.in_flight() != r.limits.buffersize) return false;
    if (c.pulled != r.in_flight() + c.taken + c.dropped) return false;
    if (c.held != held[id]) return false;
    std::uint64_t queued = 0;
    for (const span& s : r.queue) queued += s.count;
    if (queued != c.queued || !std::is_sorted(r.queue.begin(), r.queue.end(), before)) return false;
    auto& all = places[id];
    all.insert(all.end(), r.queue.begin(), r.queue.end());
    all.insert(all.end(), r.ready.begin(), r.ready.end());
    std::sort(all.begin(), all.end(), before);
    for (std::size_t i = 0; i + 1 < all.size(); ++i)
      if (all[i].end() > all[i + 1].first) return false;
    if (!all.empty() && all.back().end() > c.pulled) return false;
  }
  return true;
}

// -- pieces -----------------------------------------------------------------------

double ledger::run_state::cost() const {
  return measured() ? std::max(cost_ns / cost_items, 0.1)
                    : static_cast<double>(limits.expected_cost.count());
}

const ledger::run_state* ledger::find(run_id id) const {
  if (recent_ != nullptr && recent_->id == id) return recent_;
  auto it = runs_.find(id);
  return it != runs_.end() ? recent_ = &it->second : nullptr;
}

ledger::run_state* ledger::find(run_id id) {
  return const_cast<run_state*>(std::as_const(*this).find(id));
}

ledger::worker_state* ledger::find_worker(worker_id id) {
  auto it = workers_.find(id);
  return it != workers_.end() ? &it->second : nullptr;
}

/// Puts a span where its index belongs, joined to its neighbours in the same chunk.
void ledger::enqueue(run_state& r, const span& s) {
  queued_ += s.count;
  r.counts.queued += s.count;
  if (r.queue.empty()) {
    r.vtime = std::max(r.vtime, vclock_);
    runnable_.push_back(&r);
  }
  if (r.queue.empty() || r.queue.back().first < s.first) {
    if (!r.queue.empty() && adjacent(r.queue.back(), s))
      r.queue.back().count += s.count;
    else
      r.queue.push_back(s);
    return;
  }
  auto next = std::upper_bound(r.queue.begin(), r.queue.end(), s, before);
  if (next != r.queue.end() && adjacent(s, *next)) {
    next->first = s.first;
    next->count += s.count;
  } else {
    next = r.queue.insert(next, s);
  }
  if (next != r.queue.begin() && adjacent(*(next - 1), *next)) {
    (next - 1)->count += next->count;
    r.queue.erase(next);
  }
}

void ledger::make_ready(run_state& r, const span& s) {
  r.counts.ready += s.count;
  if (r.limits.ordered && !r.ready.empty() && s.first < r.ready.back().first) {
    r.ready.insert(std::upper_bound(r.ready.begin(), r.ready.end(), s, before), s);
  } else if (!r.ready.empty() && adjacent(r.ready.back(), s)) {
    r.ready.back().count += s.count;
  } else {
    r.ready.push_back(s);
  }
}

void ledger::learn(run_state& r, std::uint32_t count, duration took) {
  const auto ns = static_cast<double>(took.count());
  // One item alone takes longer than among others: what was expected still counts.
  const auto expected = static_cast<double>(r.limits.expected_cost.count());
  if (!r.measured() && expected > 0 && expected * count < ns) {
    r.cost_ns = expected * expectation_weight;
    r.cost_items = expectation_weight;
  }
  r.cost_ns += ns;
  r.cost_items += count;
  if (r.cost_items > cost_memory) {
    const double keep = cost_memory / r.cost_items;
    r.cost_ns *= keep;
    r.cost_items *= keep;
  }
  r.growth = std::max(r.growth, std::min(count * growth_factor, largest_batch));
}

void ledger::assert_invariants([[maybe_unused]] const run_state& r) const {
  assert(r.counts.free + r.counts.granted + r.in_flight() == r.limits.buffersize && "invariant 1");
  assert(r.counts.pulled == r.in_flight() + r.counts.taken + r.counts.dropped && "invariant 2");
}

}  // namespace fmap::actors
