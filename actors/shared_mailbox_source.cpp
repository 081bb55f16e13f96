// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox as sources see it: tokens, chunks, publishing.

#include <algorithm>
#include <bit>
#include <utility>

#include <fmap/detail/task_job.hpp>
#include <fmap/errors.hpp>

#include "actors/bells.hpp"
#include "actors/prefetch.hpp"
#include "actors/shared_mailbox.hpp"

namespace fmap::actors {

namespace {

using detail::slot_state;

/// A chunk holds a large batch and no more: one item that stays for long keeps its whole chunk from
/// being used again.
constexpr std::uint32_t largest_chunk = 256;
constexpr std::size_t largest_chunk_bytes = 64 * 1024;

std::uint32_t chunk_capacity(std::uint64_t buffersize, std::uint32_t batch,
                             detail::slot_layout layout) {
  const auto half =
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(buffersize / 2, 1, largest_chunk));
  const auto fitting = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(largest_chunk_bytes / layout.size, 1, largest_chunk));
  const std::uint32_t capacity = std::bit_floor(std::min(half, fitting));
  return batch == 0 ? capacity : batch * std::max(1u, capacity / batch);
}

/// The same for jobs with the same function type and items.
std::size_t kind_of(const job& work) { return typeid(work).hash_code(); }

/// A source that fills its share of a chunk faster than this need not be looked after item by item.
constexpr std::chrono::microseconds quick_fill{20}, slow_fill{50};

}  // namespace

run_ptr shared_mailbox::open(const run_limits& limits, std::shared_ptr<job> work,
                             std::unique_ptr<input> from, doorbell_ptr sink) {
  std::lock_guard lock{mutex_};
  check_open();
  run_limits expecting = limits;
  if (const auto known = costs_.find(kind_of(*work)); known != costs_.end())
    expecting.expected_cost = known->second;
  const run_id id = ledger_.open(expecting);
  auto r = std::make_shared<run>(id, limits, std::move(work), std::move(from));
  r->sink_bell = std::move(sink);
  r->free_tokens = limits.buffersize;
  appraise(*r);
  return runs_[id] = std::move(r);
}

/// The next run of the same function is expected to cost as much. To take heavy items for light ones would
/// leave workers asleep, so it is one heavy run among light ones that is believed for a while.
void shared_mailbox::remember_cost(const run& r) {
  if (!ledger_.measured(r.id)) return;
  auto& cost = costs_[kind_of(*r.work)];
  cost = std::max(r.cost, (cost + r.cost) / 2);
}

void shared_mailbox::check_open() const {
  if (broken_) throw broken_pool{broken_};
  if (closing_) throw pool_shutdown{"fmap: this pool has been shut down: it takes no new work"};
}

/// The run of the tasks: it has no source and no sink, and no bound.
run& shared_mailbox::tasks() {
  if (!tasks_) {
    // One by one: they start in the order of their submission.
    const run_limits limits{.buffersize = unbounded, .chunksize = 1};
    const run_id id = ledger_.open(limits);
    if (!task_job_) task_job_ = std::make_shared<detail::task_job>();
    runs_[id] = tasks_ = std::make_shared<run>(id, limits, task_job_, nullptr);
  }
  return *tasks_;
}

void shared_mailbox::push(detail::task_ptr t) {
  bells ring;
  std::lock_guard lock{mutex_};
  check_open();
  run& r = tasks();
  fillable(r);
  ::new (r.open->at(r.filled)) detail::task_ptr{std::move(t)};
  r.open->state(r.filled).store(slot_state::item, std::memory_order_release);
  publish(r, r.filled + 1, ring);
}

void shared_mailbox::attach_source(run& r, doorbell_ptr source) {
  bells ring;
  std::lock_guard lock{mutex_};
  ring.add(source);
  hasten_tick(ring);
  if (!r.cut && !r.stopped) r.source_bell = std::move(source);
}

void shared_mailbox::pull_by_workers(run& r) {
  bells ring;
  std::lock_guard lock{mutex_};
  if (r.cut || r.stopped) return;
  r.at_hand = true;
  r.instant = r.from->instant();
  r.flush_every = any_number;
  look_up_thirst(r);
  wake_worker(ring);
}

void shared_mailbox::detach_source(run& r, std::exception_ptr why) {
  bells ring;
  std::lock_guard lock{mutex_};
  if (r.over()) return;
  r.input_over = true;
  r.input_error = std::move(why);
  end_source(r, ring);
}

shared_mailbox::pulled shared_mailbox::pull(run& r, bool once) {
  bells ring;
  std::unique_lock lock{mutex_};
  r.source_waiting = false;
  while (!r.over()) {
    const std::uint32_t end = fillable(r);
    if (end == r.filled) {
      wake_sink(r, ring);
      if (r.light) {
        const bool cheap = r.cheap;
        const std::uint64_t enough = cheap ? enough_tokens(r) : r.wake_after;
        const auto there = [&] {
          return r.free_tokens.load(std::memory_order_relaxed) >= enough || r.stopped;
        };
        r.source_looking = true;
        lock.unlock();
        ring.ring();
        cheap ? r.source_spin.wait(there) : r.source_spin.wait_briefly(there);
        lock.lock();
        r.source_looking = false;
        if (ledger_.counts(r.id).free != 0) continue;
      }
      r.source_waiting = true;
      return pulled::out_of_tokens;
    }
    pull_some(r, lock, ring);
    bury_if_broken(lock);
    if (once && !r.input_over) return pulled::something;
  }
  end_source(r, ring);
  return pulled::over;
}

/// An item should have been done by now, going by what it was expected to cost.
void shared_mailbox::doubt(run& r, bells& ring) {
  if (r.cost.count() == 0 || ledger_.measured(r.id)) return;
  split_batches(r, ring);
  ledger_.doubt(r.id);
  appraise(r);
  wake_worker(ring, true);
}

lent_slots shared_mailbox::lend_slots(run& r) {
  std::lock_guard lock{mutex_};
  if (r.over()) return {};
  const std::uint32_t end = fillable(r);
  if (end == r.filled) return {};
  r.in_source = r.lent = true;
  return {r.open, r.filled, end};
}

void shared_mailbox::return_slots(run& r, const lent_slots& slots) {
  bells ring;
  std::unique_lock lock{mutex_};
  r.in_source = r.lent = false;
  if (closing_ && settled() && slots.next > r.filled) {
    // They were brought while the pool was being shut down, and no worker is left.
    ledger_.pulled(r.id, r.open->id, slots.next - std::exchange(r.filled, slots.next));
    lock.unlock();
    bury(r.id, std::make_exception_ptr(
                   pool_shutdown{"fmap: the pool was shut down before this item was begun"}));
    lock.lock();
  }
  publish(r, slots.next, ring);
  if (r.over()) end_source(r, ring);
  bury_if_broken(lock);
}

/// Pulls what is granted, or as many items as are pulled at a time.
void shared_mailbox::pull_some(run& r, std::unique_lock<short_mutex>& lock, bells& ring) {
  if (!r.instant && r.granted - r.filled > 1 && r.flush_every.load(std::memory_order_relaxed) > 1)
    want_tick(ring);
  r.in_source = true;
  chunk& c = *r.open;
  std::uint32_t filled = r.filled;
  const std::uint32_t end = r.granted;
  bool more = false;
  std::exception_ptr error;
  lock.unlock();
  if (r.instant) {
    fetch_for_writing(c.at(filled), c.at(end));
    fetch_for_writing(&c.state(filled), &c.state(filled) + (end - filled));
  }
  ring.ring();
  clock::time_point begun, done;
  if (!r.instant) begun = clock::now();
  try {
    more = r.from->pull(c, filled, end, r.flush_every);
  } catch (...) {
    error = std::current_exception();
  }
  if (!r.instant) done = clock::now();
  const auto took = done - begun;
  lock.lock();
  // Not for a single time: the thread may just have waited for the processor.
  const bool slow = r.flush_every.load(std::memory_order_relaxed) < c.capacity;
  if (r.at_hand && slow) ledger_.charge(r.id, took);
  if (r.work->asynchronous)
    r.flush_every = 1;  // each item is to be started before the next one is pulled
  else if (took <= quick_fill)
    r.flush_every = std::min(2 * r.flush_every, c.capacity);
  else if (took >= slow_fill)
    r.flush_every = std::max(r.flush_every / 2, 1u);
  r.in_source = false;
  publish(r, filled, ring);
  if (!more && !r.stopped) {
    r.input_over = true;
    r.input_error = error;
  }
}

/// So many tokens are worth a visit to an input whose items are cheap.
std::uint64_t shared_mailbox::enough_tokens(const run& r) const {
  return r.cheap ? std::max<std::uint64_t>(ledger_.buffersize(r.id) / 4, 1) : 1;
}

/// How many items a worker could pull of an input at hand.
std::uint64_t shared_mailbox::pullable(const run& r) const {
  if (!r.at_hand || r.in_source || r.over()) return 0;
  const auto c = ledger_.counts(r.id);
  return c.queued == 0 ? c.free + c.granted : 0;
}

/// A run without a source is thirsty when nothing of it is queued and there are tokens enough for a visit
/// to its input, or `few`.
void shared_mailbox::look_up_thirst(run& r, bool few) {
  if (r.thirsty || pullable(r) < (few ? 1 : enough_tokens(r))) return;
  thirsty_.push_back(&r);
  r.thirsty = true;
  something_to_do_.store(true, std::memory_order_relaxed);
}

/// Lets a worker pull what the run that has been thirsty for longest has tokens for. False: there is none.
bool shared_mailbox::quench(std::unique_lock<short_mutex>& lock, bells& ring) {
  while (!thirsty_.empty()) {
    run& r = *thirsty_.front();
    thirsty_.pop_front();
    r.thirsty = false;
    if (pullable(r) == 0) continue;
    pull_at_hand(r, lock, ring);
    return true;
  }
  return false;
}

void shared_mailbox::pull_at_hand(run& r, std::unique_lock<short_mutex>& lock, bells& ring) {
  try {
    const std::uint32_t end = fillable(r);
    if (end != r.filled) pull_some(r, lock, ring);
  } catch (...) {
    r.input_over = true;
    r.input_error = std::current_exception();
  }
  if (r.over()) end_source(r, ring);
}

/// Up to where the open chunk may be filled; opens one and asks for tokens as needed.
std::uint32_t shared_mailbox::fillable(run& r) {
  if (r.open != nullptr && r.filled == r.open->capacity) r.open = nullptr;
  const auto counts = ledger_.counts(r.id);
  if (r.open == nullptr) {
    if (counts.free == 0 && counts.granted == 0) return r.filled = 0;
    if (r.unused.empty()) {
      if (r.vacant.empty()) {
        r.chunks.emplace_back();
        r.vacant.push_back(static_cast<std::uint32_t>(r.chunks.size() - 1));
      }
      const std::uint32_t id = r.vacant.back();
      r.vacant.pop_back();
      const auto capacity =
          chunk_capacity(ledger_.buffersize(r.id), r.limits.chunksize, r.work->layout);
      r.chunks[id] = std::make_unique<chunk>(id, capacity, r.work->layout);
      r.unused.push_back(r.chunks[id].get());
    }
    r.open = r.unused.back();
    r.unused.pop_back();
    r.open->first = counts.pulled;
    r.open->left = r.open->capacity;
    r.filled = 0;
  }
  const std::uint32_t room = r.open->capacity - r.filled;
  const std::uint64_t wanted = r.at_hand ? std::min<std::uint64_t>(room, r.at_a_time) : room;
  const std::uint64_t granted =
      counts.granted + (counts.granted < wanted ? ledger_.grant(r.id, wanted - counts.granted) : 0);
  r.free_tokens.store(ledger_.counts(r.id).free, std::memory_order_relaxed);
  return r.granted = r.filled + static_cast<std::uint32_t>(std::min(granted, wanted));
}

/// Queues what has been pulled up to `filled`, unless somebody already has.
void shared_mailbox::publish(run& r, std::uint32_t filled, bells& ring) {
  if (r.from && !r.instant) r.published_at = clock::now();
  if (filled <= r.filled) return;
  if (!r.at_hand) hasten_tick(ring);
  ledger_.pulled(r.id, r.open->id, filled - std::exchange(r.filled, filled));
  wake_worker(ring);
}

/// Queues what a source has pulled so far while it is still pulling.
void shared_mailbox::harvest(run& r, bells& ring) {
  std::uint32_t filled = r.filled;
  while (filled != r.granted
         && r.open->state(filled).load(std::memory_order_acquire) == slot_state::item)
    ++filled;
  publish(r, filled, ring);
}

void shared_mailbox::end_source(run& r, bells& ring) {
  ledger_.end(r.id);
  r.source_waiting = false;
  if (std::exchange(r.thirsty, false)) std::erase(thirsty_, &r);
  ring.add(std::exchange(r.source_bell, nullptr));
  wake_sink(r, ring);
  notify_drained(r, ring);
  if (closing_ && idle_for_good()) wake_all(ring);
}

}  // namespace fmap::actors
