// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox as workers see it: take, run, settle.

#include <algorithm>
#include <utility>

#include "actors/bells.hpp"
#include "actors/shared_mailbox.hpp"
#include "actors/stopwatch.hpp"

namespace fmap::actors {

namespace {

/// A bound of more than twice this many items is never cheap to fill.
constexpr std::uint64_t most_cheap = 1u << 20;

/// An input at hand is as good as a queue: no more is pulled than lasts the workers for so long.
constexpr std::chrono::microseconds lookahead{200};

/// Items that seem to take less than this are not worth more than a look at the clock.
constexpr std::chrono::microseconds worth_watching{10};

/// Of the batches of others, after the first ones, not all are watched: to watch an item that sleeps takes a
/// good part of the processor time that it needs.
constexpr unsigned watched_first = 64, watch_every = 7;

/// To items that take so long one fence each is nothing, and nobody else need be interrupted for it.
constexpr std::chrono::microseconds worth_fencing{1};

/// By then others that share a processor have had their turn. (It is not for a consumer to wait that long: where it
/// has a processor of its own, workers share the other one, and that one must not look busy to the kernel.)
constexpr std::chrono::microseconds others_turn{25};

/// What so many items cost says little: it is never taken back that a bound was widened.
constexpr std::uint64_t first_items = 16;

}  // namespace

void shared_mailbox::join(worker& w, doorbell_ptr bell) {
  std::lock_guard lock{mutex_};
  w.id = ledger_.add_worker(any_number);
  w.bell = std::move(bell);
  w.since = clock::now();
  workers_.push_back(&w);
  failed_starts_ = 0;
  if (!w.supervised || reserves_to_join_ == 0) return;
  --reserves_to_join_;
  w.reserve = true;
}

bool shared_mailbox::work(worker& w) {
  bells ring;
  std::unique_lock lock{mutex_};
  if (std::exchange(w.idle, false)) std::erase(w.reserve ? idle_reserves_ : idle_, &w);
  w.coming = !w.reserve;
  w.since = clock::now();
  bool worked = false;
  while (!broken_) {
    run* only = nullptr;
    if (w.reserve) {
      only = most_forsaken();
      if (only == nullptr) break;
      only->rescued_at = w.since;
      if (pullable(*only) != 0) pull_at_hand(*only, lock, ring);
    } else if (quench(lock, ring)) {
      w.since = clock::now();
    }
    if (broken_) break;
    const span s = ledger_.take(w.id, only != nullptr ? only->id : 0);
    if (!s) {
      if (w.reserve) break;
      if (!thirsty_.empty()) continue;
      if (worked && !closing_ && worth_spinning(w)) {
        worked = look(w, lock, ring);
        w.since = clock::now();
        continue;
      }
      // Rather than rest, a worker pulls what there are tokens for, however few.
      for (auto& [id, r] : runs_) look_up_thirst(*r, true);
      if (!thirsty_.empty()) continue;
      break;
    }
    worked = true;
    run& r = *runs_.at(s.run);
    chunk& c = *r.chunks[s.chunk];
    std::uint32_t offset = c.offset(s.first);
    w.busy_with = &r;
    w.in = &c;
    w.batch = s;
    w.at.fenced = r.cost >= worth_fencing;
    w.at.start(offset, offset + s.count);
    look_up_thirst(r);
    wake_worker(ring);
    if (s.count > 1) want_tick(ring);
    // Where many wait for the processor or for the mutex, that must not make items look heavy: it would
    // bring even more workers.
    const bool heavy = r.cost >= worth_watching;
    const unsigned before = heavy ? r.heavy_batches++ : 0;
    w.teaches = before < watched_first || before % watch_every == 0;
    clock::duration took{};
    clock::time_point now;
    for (;;) {
      lock.unlock();
      ring.ring();
      const stopwatch watch{heavy && w.teaches};
      offset = r.work->apply(c, offset, w.at, w.id);
      now = clock::now();
      took += watch.read(now);
      lock.lock();
      if (c.first + offset >= w.batch.end()) break;
      // The batch was split between claim and run: the claimed item is still this worker's.
      w.at.keep(offset);
    }
    settle(w, now, took, ring);
    if (somebody_looks(r)) {
      give_way(w, lock, ring);
      w.since = clock::now();
    }
  }
  if (broken_) {
    // What was taken from this worker's batch meanwhile has nobody else to end it.
    bury_if_broken(lock);
    return false;
  }
  if (closing_ && idle_for_good()) {
    wake_all(ring);
    return false;
  }
  if (w.reserve ? blocked_ == 0 && !idle_reserves_.empty() : surplus()) return false;
  w.coming = false;
  w.idle = true;
  (w.reserve ? idle_reserves_ : idle_).push_back(&w);
  for (auto& [id, r] : runs_) {
    wake_source(*r, ring);
    wake_sink(*r, ring);
  }
  return true;
}

/// One worker at a time stays awake for cheap items that may come right away.
bool shared_mailbox::worth_spinning(const worker& w) const {
  return w.cheap ? spinning_ == 0 : w.light;
}

/// Waits for something to do, but not for long. False: there was nothing.
bool shared_mailbox::look(worker& w, std::unique_lock<short_mutex>& lock, bells& ring) {
  const auto there = [this] { return something_to_do_.load(std::memory_order_relaxed); };
  const bool cheap = w.cheap;
  const std::uint32_t spins = cheap ? 1 : 0;
  something_to_do_.store(false, std::memory_order_relaxed);
  spinning_ += spins;
  lock.unlock();
  ring.ring();
  const bool seen = cheap ? w.spin.wait(there) : w.spin.wait_briefly(there, others_turn);
  lock.lock();
  spinning_ -= spins;
  return seen;
}

/// Lets those run who look for what this worker has done.
void shared_mailbox::give_way(worker& w, std::unique_lock<short_mutex>& lock, bells& ring) {
  lock.unlock();
  ring.ring();
  w.spin.give_way();
  lock.lock();
}

/// What a worker still held is finished.
void shared_mailbox::settle(worker& w, clock::time_point now, clock::duration took, bells& ring) {
  run& r = *w.busy_with;
  w.since = now;
  const span s = std::exchange(w.batch, {});
  w.busy_with = nullptr;
  if (r.work->asynchronous) return;
  ledger_.finished(w.id, r.id, s.first, s.count, took, w.teaches);
  appraise(r);
  w.light = r.light;
  w.cheap = r.cheap;
  if (r.limits.widest != 0) widen(r, ring);
  collect(r);
  wake_sink(r, ring);
  notify_drained(r, ring);
  tick_in_passing(now, ring);
}

/// What is worth while in this run, by what its items have been costing.
void shared_mailbox::appraise(run& r) {
  const auto cost = r.cost = ledger_.cost(r.id);
  if (cost.count() == 0) {
    r.light = r.cheap = false;
    r.wake_after = 1;
    return;
  }
  const std::uint64_t half = std::max<std::uint64_t>(ledger_.buffersize(r.id) / 2, 1);
  const auto worth = r.from ? wake_share * worth_waking : r.limits.tell_after;
  r.wake_after = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(worth / cost), 1, half);
  if (r.limits.chunksize == 0)
    r.at_a_time =
        std::max<std::uint64_t>(static_cast<std::uint64_t>(lookahead / cost), 1) * capacity_;
  // What comes from elsewhere comes in messages, one after the other.
  const std::uint64_t brought = r.from ? std::min(half, most_cheap) : 1;
  // Single tasks are neither: between two of them a worker had better rest, and be found by the next one.
  r.light = worth.count() != 0 && cost < worth_waking;
  r.cheap = r.light && cost * static_cast<std::int64_t>(brought) < worth_waking;
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
  if (r.open == &c) r.open = nullptr;  // it is full
  // A burst of tasks may have needed any number of chunks; a run with a bound never does.
  constexpr std::size_t enough = 8;
  if (r.from || (r.work->delivers && r.unused.size() < enough)) {
    r.unused.push_back(&c);
  } else {
    r.vacant.push_back(c.id);
    r.chunks[c.id].reset();
  }
}

/// Where the user left the buffersize open: as many items as keep the workers busy for some batches.
void shared_mailbox::widen(run& r, bells& ring) {
  const auto cost = static_cast<std::uint64_t>(r.cost.count());
  if (cost == 0) return;
  constexpr std::uint64_t worth =
      4 * static_cast<std::uint64_t>(ledger::default_batch_time.count());
  const std::uint64_t wanted = std::min(r.limits.widest, worth * capacity_ / cost);
  const std::uint64_t now = ledger_.buffersize(r.id);
  if (wanted < 2 * now && (wanted <= now || wanted != r.limits.widest)) return;
  const auto counts = ledger_.counts(r.id);
  if (counts.pulled - counts.queued - counts.held < first_items) return;
  ledger_.widen(r.id, wanted);
  wake_source(r, ring);
}

void shared_mailbox::notify_drained(run& r, bells& ring) {
  if (r.drained && !r.in_source && ledger_.drained(r.id)) ring.add(r.drained);
}

/// Nothing to do, and nobody who could bring anything.
bool shared_mailbox::idle_for_good() const {
  if (ledger_.queued() != 0 || ledger_.held() != 0) return false;
  return std::none_of(runs_.begin(), runs_.end(),
                      [](const auto& r) { return r.second->in_source && !r.second->lent; });
}

bool shared_mailbox::settled() const {
  return started_ + retiring_ == 0 && (broken_ || idle_for_good());
}

void shared_mailbox::rest(worker& w) {
  bells ring;
  std::lock_guard lock{mutex_};
  if (std::exchange(w.idle, false)) std::erase(idle_, &w);
  w.coming = false;
  w.busy_with = nullptr;
  if (w.remote) wake_worker(ring, true);  // it may have been rung for somebody's work
}

void shared_mailbox::never_came() {
  bells ring;
  std::lock_guard lock{mutex_};
  --started_;
  if (reserves_to_join_ != 0) {
    --reserves_to_join_;
    --reserves_;
  }
  if (closing_ && settled()) wake_all(ring);
}

bool shared_mailbox::start_failed(std::size_t in_vain, std::uint32_t proven) {
  constexpr std::chrono::milliseconds first_pause{25}, longest_pause{1000};
  bells ring;
  std::lock_guard lock{mutex_};
  const auto now = clock::now();
  if (failed_starts_ == 0 || now >= next_start_) {
    const auto pause = first_pause * (1 << std::min<std::size_t>(failed_starts_++, 10));
    next_start_ = now + std::min<std::chrono::milliseconds>(pause, longest_pause);
  }
  wake_worker(ring, true);
  return failed_starts_ > in_vain && (proven == 0 || started_ <= blocked_);
}

void shared_mailbox::start_succeeded() {
  std::lock_guard lock{mutex_};
  failed_starts_ = 0;
}

void shared_mailbox::leave(worker& w) {
  bells ring;
  std::lock_guard lock{mutex_};
  ledger_.remove_worker(w.id, [](run_id, std::uint64_t) { return mark::waiting; });
  std::erase(workers_, &w);
  std::erase(w.reserve ? idle_reserves_ : idle_, &w);
  w.bell.reset();
  if (w.supervised) --started_;
  if (w.retired) --retiring_;
  if (w.reserve) --reserves_;
  for (auto& [id, r] : runs_) notify_drained(*r, ring);  // what it held of a stopped run is dropped
  if (closing_ && (broken_ || idle_for_good()))
    wake_all(ring);  // it may have been the last at work, and others wait for that to end
  else if (!broken_)
    wake_worker(ring);
}

}  // namespace fmap::actors
