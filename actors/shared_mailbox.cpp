// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox: what wakes whom, and when.

#include "actors/shared_mailbox.hpp"

#include <algorithm>
#include <utility>

#include "actors/bells.hpp"

namespace fmap::actors {

namespace {

/// A worker that took its batch longer ago than this may be at a slow item.
constexpr std::chrono::microseconds soon{100};

/// So many items are worth waking somebody up, whatever they cost.
constexpr std::uint64_t most_of_interest = 1u << 20;

}  // namespace

constinit thread_local shared_mailbox* working_for = nullptr;

run::~run() {
  if (work) clear();
}

void run::clear() {
  for (auto& c : chunks)
    if (c) work->clear(*c, 0, c->capacity);
  chunks.clear();
}

void shared_mailbox::wake_worker(bells& ring, bool at_once) {
  const bool something = ledger_.queued() != 0 || !thirsty_.empty();
  something_to_do_.store(something, std::memory_order_relaxed);
  if (!something) return;
  const bool may_start =
      started_ < allowed() && retiring_ < 2 * capacity_ && supervisor_ && !broken_;
  if (idle_.empty() && !may_start) return call_reserve(ring);
  at_once = urgent(at_once);
  // Somebody who is awake will have it done sooner than another one is up. If he will not (his item
  // may turn out to be slow), the tick wakes one.
  if (!at_once && time_to_do() < worth_waking && soon_free()) return want_tick(ring);
  const auto it = std::find_if(idle_.rbegin(), idle_.rend(), [&](const worker* w) {
    return at_once || !w->remote || ledger_.wants(w->id);
  });
  if (it != idle_.rend()) {
    worker* const w = *it;
    idle_.erase(std::next(it).base());
    w->idle = false;
    w->coming = !w->remote;  // a stub takes no more than is its share
    w->since = clock::now();
    w->hurry = at_once;
    ring.add(w->bell);
  } else if (!idle_.empty()) {
    want_tick(ring);  // a stub waits for more
  } else if (failed_starts_ != 0 && clock::now() < next_start_) {
    want_tick(ring);
  } else {
    ++started_;
    ++to_start_;
    ring.add(supervisor_);
  }
}

/// How long one worker would be busy with what is queued and what can be pulled; max() if it is not known.
ledger::duration shared_mailbox::time_to_do() const {
  auto result = ledger_.queued_time();
  for (const run* r : thirsty_) {
    if (result >= worth_waking) break;
    if (r->cost.count() == 0) return ledger::duration::max();
    const std::uint64_t free = r->free_tokens.load(std::memory_order_relaxed);
    result += std::min<ledger::duration>(r->cost, worth_waking)
              * static_cast<std::int64_t>(std::min(free, most_of_interest));
  }
  return result;
}

/// Whether some worker will probably look for work within moments.
bool shared_mailbox::soon_free() const {
  if (spinning_ != 0) return true;
  const auto now = clock::now();
  return std::any_of(workers_.begin(), workers_.end(),
                     [&](const worker* w) { return w->coming && now - w->since < soon; });
}

/// Workers have nothing to do.
bool shared_mailbox::starving() const { return !idle_.empty() && ledger_.queued() == 0; }

/// Nobody is going to bring or to take anything of this run unless somebody is woken.
bool shared_mailbox::stalled(const run& r) const {
  const auto c = ledger_.counts(r.id);
  const bool quick_source = r.in_source && r.flush_every.load(std::memory_order_relaxed) > 1;
  return c.queued + c.held == 0 && !quick_source;
}

void shared_mailbox::wake_source(run& r, bells& ring, bool at_once) {
  at_once = urgent(at_once);
  const auto free = ledger_.counts(r.id).free;
  r.free_tokens.store(free, std::memory_order_relaxed);
  if (r.at_hand) look_up_thirst(r, at_once || (r.sink_waiting && stalled(r)));
  if (r.at_hand ? pullable(r) == 0 : !r.source_waiting || free == 0) return;
  if (!at_once && free < r.wake_after && !(r.cheap ? r.sink_waiting && stalled(r) : starving()))
    return want_tick(ring);
  if (r.at_hand) return wake_worker(ring);
  r.source_waiting = false;
  ring.add(r.source_bell);
}

/// Whether somebody should come for what is ready; he who looks for cheap items takes whatever there is.
bool shared_mailbox::worth_taking(const run& r) const {
  if (r.cheap && r.sink_looking) return true;
  return ledger_.counts(r.id).ready >= r.wake_after || stalled(r) || (!r.cheap && starving());
}

/// Returns whether there is anything at all. That nothing will come any more is always worth coming for.
bool shared_mailbox::look_up_sink(run& r) {
  const bool ready = !r.stopped && ledger_.has_ready(r.id);
  const bool over = !ready && exhausted(r);
  r.something_for_sink.store(over || (ready && worth_taking(r)), std::memory_order_relaxed);
  return ready || over;
}

/// Somebody who gives way until there is something has not come for it yet. Those who look for cheap items are
/// on a processor of their own, or will soon be.
bool shared_mailbox::somebody_looks(const run& r) const {
  if (r.cheap) return false;
  return (r.sink_looking && r.something_for_sink.load(std::memory_order_relaxed))
         || (r.source_looking && ledger_.counts(r.id).free >= r.wake_after);
}

void shared_mailbox::wake_sink(run& r, bells& ring, bool at_once) {
  const bool something = look_up_sink(r);
  if (!r.sink_waiting || !something) return;
  if (!urgent(at_once) && !r.something_for_sink) return want_tick(ring);
  r.sink_waiting = false;
  ring.add(r.sink_bell);
}

/// Where nobody ticks, nothing can be put off.
bool shared_mailbox::urgent(bool at_once) const { return at_once || !supervisor_; }

void shared_mailbox::want_tick(bells& ring) {
  active_ = true;
  if (std::exchange(ticking_, true)) return;
  next_tick_ = tick_interval;
  tick_wanted_ = true;
  ring.add(supervisor_);
}

bool shared_mailbox::tick_is_rare() const { return ticking_ && next_tick_ > long_tick_interval; }

/// Something may be withheld from somebody who would not call for the tick.
bool shared_mailbox::relies_on_tick(const run& r) const {
  if (r.at_hand) return r.sink_waiting && !r.sink_ticks;
  const auto c = ledger_.counts(r.id);
  return r.source_bell || r.in_source || c.queued + c.held + c.ready != 0;
}

/// Lets the next tick come soon, if it is far away.
void shared_mailbox::hasten_tick(bells& ring) {
  if (!tick_is_rare()) return;
  next_tick_ = tick_interval;
  tick_wanted_ = true;
  ring.add(supervisor_);
}

}  // namespace fmap::actors
