// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox as those see it who execute batches elsewhere, or bring them from there.

#include <utility>

#include <fmap/errors.hpp>

#include "actors/bells.hpp"
#include "actors/shared_mailbox.hpp"

namespace fmap::actors {

namespace {

/// Messages cost more than visits, so their batches last longer; and some are under way while others are
/// being executed.
constexpr std::chrono::microseconds remote_batch_time{150};
constexpr std::uint32_t remote_depth = 4;

/// Where there is no memory to say why, that is the error.
std::exception_ptr error_of(
    const casualty& c, const std::function<std::exception_ptr(const casualty&)>& why) noexcept {
  try {
    return why(c);
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace

void shared_mailbox::join_remote(worker& w, doorbell_ptr bell, std::uint32_t weight,
                                 std::uint32_t capacity) {
  std::lock_guard lock{mutex_};
  w.id = ledger_.add_worker(capacity, weight, remote_batch_time, remote_depth);
  w.bell = std::move(bell);
  w.remote = true;
  workers_.push_back(&w);
}

parcel shared_mailbox::take(worker& w, std::uint32_t most) {
  bells ring;
  std::lock_guard lock{mutex_};
  if (std::exchange(w.idle, false)) std::erase(idle_, &w);
  if (broken_ || most == 0) return {};
  span s = ledger_.take(w.id, 0, w.hurry);
  if (!s) {
    w.hurry = false;
    if (ledger_.full(w.id)) {
      wake_worker(ring);  // it may have been rung for what somebody else can take
    } else {
      w.idle = true;
      idle_.push_back(&w);
      if (ledger_.queued() != 0) want_tick(ring);
    }
    return {};
  }
  if (s.count > most) {
    ledger_.give_back(w.id, s.run, s.first + most, s.count - most);
    s.count = most;
  }
  wake_worker(ring);
  const run_ptr& r = runs_.at(s.run);
  return {r, r->chunks[s.chunk].get(), s};
}

void shared_mailbox::finished(run& r, worker_id id, std::uint64_t first, std::uint32_t count,
                              clock::duration took) {
  bells ring;
  std::lock_guard lock{mutex_};
  const bool teaches = took.count() != 0;
  if (ledger_.finished(id, r.id, first, count, took, teaches) == 0) return;
  if (!r.work->asynchronous) appraise(r);
  if (r.limits.widest != 0) widen(r, ring);
  collect(r);
  wake_sink(r, ring);
  notify_drained(r, ring);
  if (closing_ && idle_for_good()) wake_all(ring);
  tick_in_passing(clock::now(), ring);
}

void shared_mailbox::give_back(run& r, worker_id id, std::uint64_t first, std::uint32_t count) {
  bells ring;
  std::lock_guard lock{mutex_};
  ledger_.give_back(id, r.id, first, count);
  wake_worker(ring, true);
  notify_drained(r, ring);
  if (closing_ && idle_for_good()) wake_all(ring);
}

void shared_mailbox::lose(worker& w, const std::function<mark(run_id, std::uint64_t)>& what,
                          const std::function<std::exception_ptr(const casualty&)>& why) {
  worker_id heir = 0;
  std::vector<casualty> dead;
  {
    std::lock_guard lock{mutex_};
    heir = ledger_.add_worker(any_number, 0);
    dead = ledger_.remove_worker(w.id, what, heir);
  }
  for (const casualty& d : dead) {
    // The run cannot be closed while the heir holds its item.
    run_ptr r;
    chunk* c = nullptr;
    {
      std::lock_guard lock{mutex_};
      r = runs_.at(d.item.run);
      c = r->chunks[d.item.chunk].get();
    }
    r->work->fail(*c, c->offset(d.item.first), error_of(d, why));
    finished(*r, heir, d.item.first, 1);
  }
  std::unique_lock lock{mutex_};
  ledger_.remove_worker(heir, [](run_id, std::uint64_t) { return mark::waiting; });
  const auto cause = broken_;
  lock.unlock();
  if (cause) bury(0, std::make_exception_ptr(broken_pool{cause}));
  leave(w);
}

void shared_mailbox::retire(worker& w) {
  bells ring;
  std::lock_guard lock{mutex_};
  if (std::exchange(w.idle, false)) std::erase(idle_, &w);
  if (!std::exchange(w.supervised, false)) return;
  --started_;
  ++retiring_;
  w.retired = true;
  wake_worker(ring, true);
}

bool shared_mailbox::may_leave() const {
  std::lock_guard lock{mutex_};
  return broken_ || (closing_ && idle_for_good());
}

void shared_mailbox::set_task_job(std::shared_ptr<job> tasks) {
  std::lock_guard lock{mutex_};
  task_job_ = std::move(tasks);
}

void shared_mailbox::push(run& r, std::unique_ptr<chunk> c, std::uint32_t count) {
  bells ring;
  std::lock_guard lock{mutex_};
  if (r.stopped) return;
  if (r.vacant.empty()) {
    r.vacant.push_back(static_cast<std::uint32_t>(r.chunks.size()));
    r.chunks.emplace_back();
  }
  c->id = r.vacant.back();
  r.vacant.pop_back();
  c->first = ledger_.counts(r.id).pulled;
  c->left = count;
  ledger_.grant(r.id, count);
  hasten_tick(ring);
  ledger_.pulled(r.id, c->id, count);
  r.chunks[c->id] = std::move(c);
  wake_worker(ring);
}

void shared_mailbox::release(run& r, const outcome_span& s) {
  std::lock_guard lock{mutex_};
  release(r, *s.in, s.count);
}

ledger::duration shared_mailbox::cost(const run& r) const {
  std::lock_guard lock{mutex_};
  return ledger_.cost(r.id);
}

std::vector<outcome_span> shared_mailbox::withdraw(run& r) {
  bells ring;
  std::lock_guard lock{mutex_};
  split_batches(r, ring);
  std::vector<outcome_span> result;
  const worker_id hand = ledger_.add_worker(any_number, 0);
  while (const span s = ledger_.take(hand, r.id)) {
    chunk* c = r.chunks[s.chunk].get();
    result.push_back({c, c->offset(s.first) + s.count, s.count});
    ledger_.drop(hand, r.id, s.first, s.count);
  }
  ledger_.remove_worker(hand, [](run_id, std::uint64_t) { return mark::waiting; });
  return result;
}

}  // namespace fmap::actors
