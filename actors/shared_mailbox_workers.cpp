// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox as workers see it: take, run, settle.

#include <algorithm>
#include <utility>

#include <fmap/errors.hpp>

#include "actors/bells.hpp"
#include "actors/shared_mailbox.hpp"

namespace fmap::actors {

namespace {

/// A bound of more than twice this many items is never cheap to fill.
constexpr std::uint64_t most_cheap = 1u << 20;

}  // namespace

void shared_mailbox::join(worker& w, doorbell_ptr bell, std::uint32_t weight,
                          std::uint32_t capacity) {
  std::lock_guard lock{mutex_};
  w.id = ledger_.add_worker(capacity, weight);
  w.bell = std::move(bell);
  workers_.push_back(&w);
}

bool shared_mailbox::work(worker& w) {
  bells ring;
  std::unique_lock lock{mutex_};
  if (std::exchange(w.idle, false)) std::erase(idle_, &w);
  auto begun = clock::now();
  bool worked = false;
  while (!broken_) {
    if (w.until != nullptr && w.until->rung()) {
      wake_worker(ring);  // somebody else, if need be
      return true;
    }
    const span s = ledger_.take(w.id);
    if (!s) {
      if (!worked || closing_ || !worth_spinning(w)) break;
      ++spinning_;
      lock.unlock();
      ring.ring();
      const bool there =
          w.spin.wait([&] { return queued_items_.load(std::memory_order_relaxed) != 0; });
      begun = clock::now();
      lock.lock();
      --spinning_;
      worked = there;
      continue;
    }
    worked = true;
    run& r = *runs_.at(s.run);
    chunk& c = *r.chunks[s.chunk];
    std::uint32_t offset = c.offset(s.first);
    w.busy_with = &r;
    w.in = &c;
    w.batch = s;
    w.since = begun;
    w.at.limit.store(offset + s.count, std::memory_order_relaxed);
    w.at.current.store(offset, std::memory_order_relaxed);
    wake_worker(ring);
    if (s.count > 1) want_tick(ring);
    clock::time_point now;
    for (;;) {
      lock.unlock();
      ring.ring();
      offset = r.work->apply(c, offset, w.at, w.id);
      now = clock::now();
      lock.lock();
      if (c.first + offset >= w.batch.end()) break;
      // The batch was split between claim and run: the claimed item is still this worker's.
      w.at.limit.store(offset + 1, std::memory_order_relaxed);
    }
    settle(w, now - begun, ring);
    begun = now;
  }
  if (broken_) {
    // What was taken from this worker's batch meanwhile has nobody else to end it.
    const auto why = std::make_exception_ptr(broken_pool{broken_});
    lock.unlock();
    bury(0, why);
    return false;
  }
  if (closing_ && idle_for_good()) {
    wake_all(ring);
    return false;
  }
  w.idle = true;
  idle_.push_back(&w);
  return true;
}

/// One worker at a time stays awake for what may come right away.
bool shared_mailbox::worth_spinning(const worker& w) const {
  return spinning_ == 0 && w.busy_with != nullptr && w.busy_with->cheap;
}

/// What a worker still held is finished.
void shared_mailbox::settle(worker& w, clock::duration took, bells& ring) {
  run& r = *w.busy_with;
  const span s = std::exchange(w.batch, {});
  if (r.work->asynchronous) return;
  ledger_.finished(w.id, r.id, s.first, s.count, took);
  const auto cost = ledger_.cost(r.id);
  const auto half = static_cast<std::int64_t>(std::min(ledger_.buffersize(r.id) / 2, most_cheap));
  r.cheap = cost.count() != 0 && cost < worth_waking && cost * half < worth_waking;
  if (r.limits.widest != 0) widen(r, ring);
  collect(r);
  wake_sink(r, ring);
  notify_drained(r, ring);
}

/// Where outcomes have been delivered already, they are taken as soon as they are ready.
void shared_mailbox::collect(run& r) {
  if (!r.work->delivers) return;
  while (const span s = ledger_.next_ready(r.id)) {
    ledger_.taken(r.id, s.count);
    release(r, *r.chunks[s.chunk], s.count);
  }
}

/// Nobody will look at so many slots of a chunk again.
void shared_mailbox::release(run& r, chunk& c, std::uint32_t count) {
  if ((c.left -= count) != 0) return;
  if (r.from || r.work->delivers) {
    r.unused.push_back(&c);
  } else {
    r.vacant.push_back(c.id);
    r.chunks[c.id].reset();
  }
}

}  // namespace fmap::actors
