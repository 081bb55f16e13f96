// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox: workers whose tasks wait, those that work meanwhile, and the reserves.

#include <algorithm>
#include <string>

#include <fmap/errors.hpp>

#include "actors/bells.hpp"
#include "actors/shared_mailbox.hpp"

namespace fmap::actors {

void shared_mailbox::block() {
  bells ring;
  std::lock_guard lock{mutex_};
  if (blocked_ == most_blocked)
    throw would_deadlock{"fmap: " + std::to_string(most_blocked)
                         + " tasks of this pool wait for something already"};
  ++blocked_;
  wake_worker(ring, true);
}

void shared_mailbox::unblock() {
  bells ring;
  std::lock_guard lock{mutex_};
  --blocked_;
  dismiss_surplus(ring);
}

void shared_mailbox::step_aside() noexcept {
  bells ring;
  std::lock_guard lock{mutex_};
  ++aside_;
  wake_worker(ring, true);
}

void shared_mailbox::step_back() noexcept {
  bells ring;
  std::lock_guard lock{mutex_};
  --aside_;
  dismiss_surplus(ring);
}

seeing_out::seeing_out() noexcept : box_{working_for} {
  if (box_ != nullptr) box_->step_aside();
}

seeing_out::~seeing_out() {
  if (box_ != nullptr) box_->step_back();
}

/// How many workers there may be, those that wait and the reserves included.
std::uint32_t shared_mailbox::allowed() const { return capacity_ + blocked_ + aside_ + reserves_; }

/// More workers than there may be: some were started for others that were blocked then.
bool shared_mailbox::surplus() const { return started_ > allowed(); }

/// Rings who is to leave: it finds nothing, and does.
void shared_mailbox::dismiss_surplus(bells& ring) {
  const auto dismiss = [&](std::vector<worker*>& from) {
    worker* const w = from.back();
    from.pop_back();
    w->idle = false;
    ring.add(w->bell);
  };
  if (surplus() && !idle_.empty()) dismiss(idle_);
  while (blocked_ == 0 && idle_reserves_.size() > 1) dismiss(idle_reserves_);
}

/// A task of this pool waits for a run that nobody is at. If all workers are at items that wait for what the task
/// holds, a mutex for instance, that stays so for ever.
bool shared_mailbox::forsaken(const run& r) const {
  if (!r.sink_waiting || !r.task_waits) return false;
  const auto c = ledger_.counts(r.id);
  return c.held == 0 && (c.queued != 0 || pullable(r) != 0);
}

/// The one that a reserve came for longest ago.
run* shared_mailbox::most_forsaken() const {
  run* result = nullptr;
  for (const auto& [id, r] : runs_)
    if (forsaken(*r) && (result == nullptr || r->rescued_at < result->rescued_at)) result = r.get();
  return result;
}

/// There is something to do, nobody to do it, and nobody can be started.
void shared_mailbox::call_reserve(bells& ring) {
  if (blocked_ == 0) return;
  want_tick(ring);
  if (idle_reserves_.empty() || most_forsaken() == nullptr) return;
  worker* const w = idle_reserves_.back();
  idle_reserves_.pop_back();
  w->idle = false;
  w->since = clock::now();
  ring.add(w->bell);
}

/// Whether a task of this pool waits for a run that nobody is at. If that has been so for long, and no worker has come
/// by, there is to be a reserve: a worker more, which comes only for such runs and so cannot get stuck where the
/// others are.
bool shared_mailbox::rescue(clock::time_point now, bells& ring) {
  if (blocked_ == 0) return false;
  const run* const r = most_forsaken();
  if (r == nullptr) return false;
  const bool all_stuck = now - r->waits_since >= stuck
                         && std::all_of(workers_.begin(), workers_.end(),
                                        [&](const worker* w) { return now - w->since >= stuck; });
  const bool all_here = workers_.size() >= started_;
  if (!all_stuck || !all_here || !supervisor_ || broken_ || reserves_ >= most_blocked) return true;
  ++started_;
  ++to_start_;
  ++reserves_;
  ++reserves_to_join_;
  ring.add(supervisor_);
  return true;
}

}  // namespace fmap::actors
