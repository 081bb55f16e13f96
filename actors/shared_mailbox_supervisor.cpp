// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox as the supervisor sees it: duties, the tick, shutdown, a broken pool.

#include <algorithm>
#include <utility>

#include <fmap/errors.hpp>

#include "actors/bells.hpp"
#include "actors/shared_mailbox.hpp"

namespace fmap::actors {

void shared_mailbox::set_supervisor(doorbell_ptr bell) {
  std::lock_guard lock{mutex_};
  supervisor_ = std::move(bell);
}

void shared_mailbox::supervisor_gone(std::exception_ptr why) {
  {
    std::lock_guard lock{mutex_};
    supervisor_.reset();
    started_ -= std::exchange(to_start_, 0);
    reserves_ -= std::exchange(reserves_to_join_, 0);
    if (closing_ && settled()) return;
  }
  break_up(std::move(why));
}

shared_mailbox::duties shared_mailbox::visit() {
  std::lock_guard lock{mutex_};
  return {std::exchange(to_start_, 0), std::exchange(tick_wanted_, false), closing_ && settled()};
}

std::chrono::microseconds shared_mailbox::tick() {
  bells ring;
  std::unique_lock lock{mutex_};
  const auto now = clock::now();
  const bool others_do_it = released_at_ > std::exchange(ticked_at_, now);
  const bool relied_on = std::any_of(runs_.begin(), runs_.end(),
                                     [&](const auto& r) { return relies_on_tick(*r.second); });
  const auto longest = relied_on ? long_tick_interval : longest_tick_interval;
  next_tick_ = others_do_it ? std::min(2 * next_tick_, longest) : tick_interval;
  const bool more = release_withheld(now, ring);
  ticking_ = std::exchange(active_, false) || more;
  const auto next = ticking_ ? next_tick_ : std::chrono::microseconds{0};
  if (ledger_.queued() != 0) bury_if_broken(lock);
  return next;
}

void shared_mailbox::tick_now() {
  bells ring;
  std::lock_guard lock{mutex_};
  hasten_tick(ring);
  released_at_ = clock::now();
  release_withheld(released_at_, ring);
}

/// Does the tick's work for it, if it has not been done for a while.
void shared_mailbox::tick_in_passing(clock::time_point now, bells& ring) {
  if (!ticking_ || now - std::max(released_at_, ticked_at_) < tick_interval) return;
  released_at_ = now;
  release_withheld(now, ring);
}

/// True: there is more that will have waited long enough soon.
bool shared_mailbox::release_withheld(clock::time_point now, bells& ring) {
  bool more = false;
  for (worker* w : workers_) {
    if (w->batch.count == 0) continue;
    const bool late = now - w->since >= patience;
    if (late && now - w->since > w->busy_with->cost) doubt(*w->busy_with, ring);
    if (w->batch.count == 1) continue;
    if (late)
      split(*w, ring);
    else
      more = true;
  }
  for (auto& [id, r] : runs_) {
    if (!r->in_source || r->instant || r->flush_every.load(std::memory_order_relaxed) <= 1)
      continue;
    if (now - r->published_at >= patience) {
      hurry_source(*r, 1, ring);
    } else {
      more = true;
    }
  }
  for (auto& [id, r] : runs_) {
    wake_source(*r, ring, true);
    wake_sink(*r, ring, true);
  }
  wake_worker(ring, !soon_free());
  return rescue(now, ring) || more;
}

/// Takes from a worker all but the item it has claimed: what it has finished becomes ready, what has
/// not begun goes back to the queue. One item always stays, so that the run is not over while the worker
/// is still in its job.
void shared_mailbox::split(worker& w, bells& ring) {
  run& r = *w.busy_with;
  const std::uint64_t begun = w.in->first + w.at.freeze();
  const std::uint64_t kept = std::min(begun, w.batch.end() - 1);
  const auto before = static_cast<std::uint32_t>(kept - w.batch.first);
  const auto after = static_cast<std::uint32_t>(w.batch.end() - kept - 1);
  if (before != 0 && !r.work->asynchronous) {
    ledger_.finished(w.id, r.id, w.batch.first, before, {}, w.teaches);
    collect(r);
  }
  if (after != 0) ledger_.give_back(w.id, r.id, kept + 1, after);
  w.batch.first = kept;
  w.batch.count = 1;
  w.at.keep(w.in->offset(kept));
  wake_sink(r, ring);
}

void shared_mailbox::split_batches(run& r, bells& ring) {
  for (worker* w : workers_)
    if (w->busy_with == &r && w->batch.count > 1) split(*w, ring);
}

void shared_mailbox::shut_down(bool cancel_tasks) {
  {
    bells ring;
    std::lock_guard lock{mutex_};
    if (!std::exchange(closing_, true)) {
      for (auto& [id, r] : runs_) cut(*r, ring);
      wake_all(ring);
    }
    if (!cancel_tasks || !tasks_) return;
  }
  bury(tasks_->id, nullptr);
}

/// Lets everybody see that the pool is closing, or that it has nothing left to do.
void shared_mailbox::wake_all(bells& ring) {
  for (auto* idle : {&idle_, &idle_reserves_}) {
    for (worker* w : std::exchange(*idle, {})) {
      w->idle = false;
      ring.add(w->bell);
    }
  }
  ring.add(supervisor_);
  if (!settled()) return;
  for (const auto& waiter : left_) ring.add(waiter);
}

void shared_mailbox::break_up(std::exception_ptr cause) {
  {
    bells ring;
    std::lock_guard lock{mutex_};
    if (!broken_) broken_ = std::move(cause);
    for (auto& [id, r] : runs_) {
      cut(*r, ring);
      split_batches(*r, ring);
      wake_sink(*r, ring, true);
    }
    for (worker* w : workers_)
      if (w->remote) ring.add(w->bell);  // nobody waits for what is being executed elsewhere
    wake_all(ring);
  }
  bury(0, std::make_exception_ptr(broken_pool{broken()}));
}

/// Ends a run's input from outside.
void shared_mailbox::cut(run& r, bells& ring) {
  if (r.input_over || r.cut) return;
  r.cut = true;
  if (r.in_source)
    hurry_source(r, 0, ring);
  else
    end_source(r, ring);
}

/// Lets who pulls publish after so many items, and queues what it has pulled so far. Between the two it either sees
/// the one, or its item is seen by the other.
void shared_mailbox::hurry_source(run& r, std::uint32_t flush_every, bells& ring) {
  r.flush_every.store(flush_every, std::memory_order_relaxed);
  detail::heavy_fence();
  harvest(r, ring);
}

/// Gives every queued item, or those of one run, an error instead of a worker; a task without an error
/// is cancelled.
void shared_mailbox::bury(run_id only, const std::exception_ptr& why) {
  worker undertaker;
  bells ring;
  std::unique_lock lock{mutex_};
  undertaker.id = ledger_.add_worker(1, 0);
  const working_in inside{this};  // futures are completed here, and run their callbacks
  while (const span s = ledger_.take(undertaker.id, only)) {
    run& r = *runs_.at(s.run);
    chunk& c = *r.chunks[s.chunk];
    lock.unlock();
    for (std::uint64_t index = s.first; index != s.end(); ++index)
      r.work->fail(c, c.offset(index), why);
    lock.lock();
    ledger_.finished(undertaker.id, r.id, s.first, s.count, {});
    collect(r);
    wake_sink(r, ring);
    notify_drained(r, ring);
  }
  ledger_.remove_worker(undertaker.id, [](run_id, std::uint64_t) { return mark::waiting; });
  if (closing_ && idle_for_good()) wake_all(ring);
}

/// In a broken pool nothing stays queued.
void shared_mailbox::bury_if_broken(std::unique_lock<short_mutex>& lock) {
  if (!broken_) return;
  const auto why = std::make_exception_ptr(broken_pool{broken_});
  lock.unlock();
  bury(0, why);
  lock.lock();
}

void shared_mailbox::wait_until_left() {
  auto waiter = std::make_shared<parker>();
  std::unique_lock lock{mutex_};
  left_.push_back(waiter);
  while (!settled()) {
    lock.unlock();
    {
      const seeing_out here;
      waiter->wait_alone();
    }
    lock.lock();
  }
  std::erase(left_, waiter);
}

bool shared_mailbox::closing() const {
  std::lock_guard lock{mutex_};
  return closing_;
}

std::exception_ptr shared_mailbox::broken() const {
  std::lock_guard lock{mutex_};
  return broken_;
}

}  // namespace fmap::actors
