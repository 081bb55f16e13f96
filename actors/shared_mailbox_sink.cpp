// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox as sinks see it: outcomes, tokens back, the end of a run.

#include <memory>
#include <utility>

#include <fmap/errors.hpp>

#include "actors/bells.hpp"
#include "actors/shared_mailbox.hpp"

namespace fmap::actors {

/// No outcome will come any more, other than those handed out already.
bool shared_mailbox::exhausted(const run& r) const {
  if (r.stopped) return true;
  const auto c = ledger_.counts(r.id);
  return (r.input_over || r.cut) && !r.in_source && c.queued + c.held == 0
         && !ledger_.has_ready(r.id);
}

void shared_mailbox::count_taken(run& r) {
  const std::uint64_t told = ledger_.counts(r.id).taken;
  ledger_.taken(r.id, r.taken.load(std::memory_order_relaxed) - told);
}

shared_mailbox::next_result shared_mailbox::next(run& r, outcome_span& s, bool will_sleep) {
  bells ring;
  std::lock_guard lock{mutex_};
  if (s.in != nullptr) release(r, *s.in, s.count);
  s = {};
  r.sink_waiting = r.sink_looking = false;
  if (r.stopped) return next_result::end;
  count_taken(r);
  const span n = ledger_.next_ready(r.id);
  look_up_sink(r);
  wake_source(r, ring, !n && stalled(r));
  if (n) {
    s.in = r.chunks[n.chunk].get();
    s.count = n.count;
    s.end = s.in->offset(n.first) + n.count;
    return next_result::outcomes;
  }
  if (exhausted(r)) return next_result::end;
  r.sink_waiting = will_sleep;
  r.task_waits = working_for == this;
  if (r.task_waits) r.waits_since = clock::now();
  r.sink_ticks = r.at_hand && tick_is_rare();
  r.sink_looking = !will_sleep;
  return next_result::wait;
}

void shared_mailbox::doubt(run& r) {
  bells ring;
  std::lock_guard lock{mutex_};
  doubt(r, ring);
}

void shared_mailbox::give_tokens_back(run& r) {
  bells ring;
  std::lock_guard lock{mutex_};
  if (r.stopped) return;
  count_taken(r);
  wake_source(r, ring);
}

void shared_mailbox::throw_if_cut(const run& r) {
  std::lock_guard lock{mutex_};
  if (!r.cut || r.input_over) return;
  if (broken_) throw broken_pool{broken_};
  throw pool_shutdown{"fmap: the pool was shut down before the map's input was at its end"};
}

void shared_mailbox::stop(run& r) {
  bells ring;
  std::lock_guard lock{mutex_};
  halt(r, ring);
}

void shared_mailbox::halt(run& r, bells& ring) {
  if (r.stopped) return;
  count_taken(r);
  r.stopped = true;
  r.flush_every.store(0, std::memory_order_relaxed);
  ledger_.stop(r.id);
  for (worker* w : workers_)
    if (w->remote) ring.add(w->bell);  // what has not begun elsewhere is to be called back
  split_batches(r, ring);
  if (!r.in_source) end_source(r, ring);
  wake_sink(r, ring);
}

void shared_mailbox::close(run& r) {
  auto waiter = std::make_shared<parker>();
  run_ptr self;
  {
    bells ring;
    std::unique_lock lock{mutex_};
    halt(r, ring);
    r.drained = waiter;
    while (r.in_source || !ledger_.drained(r.id)) {
      lock.unlock();
      ring.ring();
      {
        const seeing_out here;
        waiter->wait_alone();
      }
      lock.lock();
    }
    remember_cost(r);
    ledger_.close(r.id);
    auto it = runs_.find(r.id);
    self = std::move(it->second);
    runs_.erase(it);
    r.source_bell.reset();
    r.sink_bell.reset();
    r.drained.reset();
  }
  r.from.reset();
  r.clear();
  r.work.reset();
}

namespace {

/// Closes a run that has drained.
class closer final : public doorbell {
public:
  closer(std::shared_ptr<shared_mailbox> box, run_ptr r, doorbell_ptr closed)
      : box_{std::move(box)}, run_{std::move(r)}, closed_{std::move(closed)} {}
  void ring() noexcept override {
    if (done_.exchange(true)) return;
    box_->close(*run_);
    if (closed_) closed_->ring();
  }

private:
  const std::shared_ptr<shared_mailbox> box_;
  const run_ptr run_;
  const doorbell_ptr closed_;
  std::atomic<bool> done_{false};
};

}  // namespace

void shared_mailbox::abandon(const std::shared_ptr<shared_mailbox>& box, const run_ptr& r,
                             doorbell_ptr closed) {
  bells ring;
  std::lock_guard lock{box->mutex_};
  box->halt(*r, ring);
  r->sink_bell.reset();
  r->drained = std::make_shared<closer>(box, r, std::move(closed));
  box->notify_drained(*r, ring);
}

run_stats shared_mailbox::stats(const run& r) {
  bells ring;
  std::lock_guard lock{mutex_};
  auto it = runs_.find(r.id);
  if (it == runs_.end()) return {};
  if (r.in_source) harvest(*it->second, ring);
  run_stats result;
  result.counts = ledger_.counts(r.id);
  result.buffersize = ledger_.buffersize(r.id);
  result.taken = r.stopped ? result.counts.taken : r.taken.load(std::memory_order_relaxed);
  result.ready = result.counts.ready - (result.taken - result.counts.taken);
  result.failed = r.work->failures.load(std::memory_order_relaxed);
  result.elapsed = clock::now() - r.opened;
  return result;
}

std::uint32_t shared_mailbox::attempts(const run& r, std::uint64_t index) {
  std::lock_guard lock{mutex_};
  return ledger_.attempts(r.id, index);
}

}  // namespace fmap::actors
