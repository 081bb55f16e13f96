// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox: the ledger and the batches themselves, under one short-held mutex.

#include "actors/shared_mailbox.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmap/errors.hpp>

namespace fmap::actors {

namespace {

using detail::slot_state;

/// A chunk holds a large batch and no more: one item that stays for long keeps its whole chunk from
/// being used again.
constexpr std::uint32_t largest_chunk = 256;
constexpr std::size_t largest_chunk_bytes = 64 * 1024;

std::uint32_t chunk_capacity(std::uint64_t buffersize, std::uint32_t batch,
                             detail::slot_layout layout) {
  const auto quarter =
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(buffersize / 4, 1, largest_chunk));
  const auto fitting = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(largest_chunk_bytes / layout.size, 1, largest_chunk));
  const std::uint32_t capacity = std::bit_floor(std::min(quarter, fitting));
  return batch == 0 ? capacity : batch * std::max(1u, capacity / batch);
}

/// A source that fills its share of a chunk faster than this need not be looked after item by item.
constexpr std::chrono::microseconds quick_fill{20}, slow_fill{50};

/// Waking somebody up costs about this much, his time and the waker's.
constexpr std::chrono::microseconds worth_waking{20};

/// A bound of more than twice this many items is never cheap to fill.
constexpr std::uint64_t most_cheap = 1u << 20;

/// A worker that took its batch longer ago than this may be at a slow item.
constexpr std::chrono::microseconds soon{100};

}  // namespace

constinit thread_local const shared_mailbox* working_for = nullptr;

run::~run() {
  if (work) clear();
}

void run::clear() {
  for (auto& c : chunks)
    if (c) work->clear(*c, 0, c->capacity);
  chunks.clear();
}

// -- bells ------------------------------------------------------------------------

class shared_mailbox::bells {
public:
  bells() = default;
  bells(const bells&) = delete;
  bells& operator=(const bells&) = delete;
  ~bells() { ring(); }

  void add(const doorbell_ptr& bell) {
    if (!bell) return;
    if (count_ < few_.size())
      few_[count_++] = bell;
    else
      many_.push_back(bell);
  }

  void ring() noexcept {
    for (std::size_t i = 0; i != count_; ++i) std::exchange(few_[i], nullptr)->ring();
    count_ = 0;
    for (const auto& bell : std::exchange(many_, {})) bell->ring();
  }

private:
  std::array<doorbell_ptr, 4> few_;
  std::size_t count_ = 0;
  std::vector<doorbell_ptr> many_;
};

void shared_mailbox::wake_worker(bells& ring, bool at_once) {
  queued_items_.store(ledger_.queued(), std::memory_order_relaxed);
  if (ledger_.queued() == 0) return;
  // Somebody who is awake will have it done sooner than another one is up. If he will not (his item
  // may turn out to be slow), the tick wakes one.
  if (!at_once && ledger_.queued_time() < worth_waking && soon_free()) return want_tick(ring);
  if (!idle_.empty()) {
    worker* w = idle_.back();
    idle_.pop_back();
    w->idle = false;
    ring.add(w->bell);
  } else if (started_ < capacity_) {
    ++started_;
    ++to_start_;
    ring.add(supervisor_);
  }
}

/// Whether some worker will probably look for work within moments.
bool shared_mailbox::soon_free() const {
  if (spinning_ != 0) return true;
  const auto now = clock::now();
  return std::any_of(workers_.begin(), workers_.end(),
                     [&](const worker* w) { return w->batch.count != 0 && now - w->since < soon; });
}

/// Nobody is going to bring or to take anything of this run unless somebody is woken.
bool shared_mailbox::stalled(const run& r) const {
  const auto c = ledger_.counts(r.id);
  return c.queued + c.held == 0 && !r.in_source;
}

void shared_mailbox::wake_source(run& r, bells& ring, bool at_once) {
  const auto free = ledger_.counts(r.id).free;
  r.free_tokens.store(free, std::memory_order_relaxed);
  if (!r.source_waiting || free == 0) return;
  if (!at_once && r.cheap && free < ledger_.buffersize(r.id) / 2 && !(r.sink_waiting && stalled(r)))
    return want_tick(ring);
  r.source_waiting = false;
  ring.add(r.source_bell);
}

void shared_mailbox::look_up_sink(run& r) {
  r.something_for_sink.store(ledger_.has_ready(r.id) || exhausted(r), std::memory_order_relaxed);
}

void shared_mailbox::wake_sink(run& r, bells& ring, bool at_once) {
  look_up_sink(r);
  if (!r.sink_waiting || !r.something_for_sink) return;
  if (!at_once && r.cheap && !stalled(r)
      && ledger_.counts(r.id).ready < ledger_.buffersize(r.id) / 2)
    return want_tick(ring);
  r.sink_waiting = false;
  ring.add(r.sink_bell);
}

void shared_mailbox::want_tick(bells& ring) {
  active_ = true;
  if (std::exchange(ticking_, true)) return;
  tick_wanted_ = true;
  ring.add(supervisor_);
}

// -- supervisor -------------------------------------------------------------------

void shared_mailbox::set_supervisor(doorbell_ptr bell) {
  std::lock_guard lock{mutex_};
  supervisor_ = std::move(bell);
}

void shared_mailbox::supervisor_gone(std::exception_ptr why) {
  {
    std::lock_guard lock{mutex_};
    supervisor_.reset();
    started_ -= std::exchange(to_start_, 0);
    if (closing_ && settled()) return;
  }
  break_up(std::move(why));
}

shared_mailbox::duties shared_mailbox::visit() {
  std::lock_guard lock{mutex_};
  return {std::exchange(to_start_, 0), std::exchange(tick_wanted_, false), closing_ && settled()};
}

bool shared_mailbox::tick() {
  bells ring;
  std::lock_guard lock{mutex_};
  const auto now = clock::now();
  bool more = std::exchange(active_, false);
  for (worker* w : workers_) {
    if (w->batch.count < 2) continue;
    if (now - w->since >= patience)
      split(*w, ring);
    else
      more = true;
  }
  for (auto& [id, r] : runs_) {
    if (!r->in_source || r->flush_every.load(std::memory_order_relaxed) <= 1) continue;
    if (now - r->published_at >= patience) {
      r->flush_every.store(1, std::memory_order_relaxed);
      detail::heavy_fence();
      harvest(*r, ring);
    } else {
      more = true;
    }
  }
  for (auto& [id, r] : runs_) {
    wake_source(*r, ring, true);
    wake_sink(*r, ring, true);
  }
  wake_worker(ring, true);
  return ticking_ = more;
}

/// Takes from a worker all but the item it has claimed: what it has finished becomes ready, what has
/// not begun goes back to the queue.
void shared_mailbox::split(worker& w, bells& ring) {
  w.at.limit.store(0, std::memory_order_relaxed);
  detail::heavy_fence();
  run& r = *w.busy_with;
  const std::uint64_t begun = w.in->first + w.at.current.load(std::memory_order_acquire);
  const std::uint64_t end = w.batch.end();
  const auto before = static_cast<std::uint32_t>(begun - w.batch.first);
  if (before != 0 && !r.work->asynchronous) {
    ledger_.finished(w.id, r.id, w.batch.first, before, {});
    collect(r);
  }
  if (begun < end) {
    const auto after = static_cast<std::uint32_t>(end - begun - 1);
    if (after != 0) ledger_.give_back(w.id, r.id, begun + 1, after);
    w.at.limit.store(w.in->offset(begun) + 1, std::memory_order_relaxed);
  }
  w.batch.first = begun;
  w.batch.count = begun < end ? 1 : 0;
  wake_sink(r, ring);
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
  for (worker* w : std::exchange(idle_, {})) {
    w->idle = false;
    ring.add(w->bell);
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
    for (auto& [id, r] : runs_) cut(*r, ring);
  }
  bury(0, std::make_exception_ptr(broken_pool{broken()}));
}

/// Ends a run's input from outside.
void shared_mailbox::cut(run& r, bells& ring) {
  if (r.input_over || r.cut) return;
  r.cut = true;
  r.flush_every.store(0, std::memory_order_relaxed);
  if (r.in_source)
    harvest(r, ring);
  else
    end_source(r, ring);
}

/// Gives every queued item, or those of one run, an error instead of a worker; a task without an error
/// is cancelled.
void shared_mailbox::bury(run_id only, const std::exception_ptr& why) {
  worker undertaker;
  bells ring;
  std::unique_lock lock{mutex_};
  undertaker.id = ledger_.add_worker(any_number, 0);
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

void shared_mailbox::wait_until_left() {
  auto waiter = std::make_shared<parker>();
  std::unique_lock lock{mutex_};
  left_.push_back(waiter);
  while (!settled()) {
    lock.unlock();
    waiter->wait_alone();
    lock.lock();
  }
}

bool shared_mailbox::closing() const {
  std::lock_guard lock{mutex_};
  return closing_;
}

std::exception_ptr shared_mailbox::broken() const {
  std::lock_guard lock{mutex_};
  return broken_;
}

// -- workers ----------------------------------------------------------------------

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
  if (broken_) return false;
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

// -- workers whose batches are executed elsewhere ---------------------------------

namespace {

/// Messages cost more than visits, so their batches last longer; and some are under way while others are
/// being executed.
constexpr std::chrono::microseconds remote_batch_time{150};
constexpr std::uint32_t remote_depth = 4;

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
  span s = ledger_.take(w.id);
  if (!s) {
    if (!ledger_.full(w.id)) {
      w.idle = true;
      idle_.push_back(&w);
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
  if (ledger_.finished(id, r.id, first, count, took) == 0) return;
  if (r.limits.widest != 0) widen(r, ring);
  collect(r);
  wake_sink(r, ring);
  notify_drained(r, ring);
  if (closing_ && idle_for_good()) wake_all(ring);
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
    r->work->fail(*c, c->offset(d.item.first), why(d));
    finished(*r, heir, d.item.first, 1);
  }
  bells ring;
  std::unique_lock lock{mutex_};
  ledger_.remove_worker(heir, [](run_id, std::uint64_t) { return mark::waiting; });
  for (auto& [id, r] : runs_) notify_drained(*r, ring);
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
  std::lock_guard lock{mutex_};
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

/// Where the user left the buffersize open: as many items as keep the workers busy for some batches.
void shared_mailbox::widen(run& r, bells& ring) {
  const auto cost = static_cast<std::uint64_t>(ledger_.cost(r.id).count());
  if (cost == 0) return;
  constexpr std::uint64_t worth =
      4 * static_cast<std::uint64_t>(ledger::default_batch_time.count());
  const std::uint64_t wanted = std::min(r.limits.widest, worth * capacity_ / cost);
  const std::uint64_t now = ledger_.buffersize(r.id);
  if (wanted < 2 * now && (wanted <= now || wanted != r.limits.widest)) return;
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
                      [](const auto& r) { return r.second->in_source; });
}

bool shared_mailbox::settled() const {
  return started_ + retiring_ == 0 && (broken_ || idle_for_good());
}

void shared_mailbox::rest(worker& w) {
  std::lock_guard lock{mutex_};
  if (std::exchange(w.idle, false)) std::erase(idle_, &w);
  w.busy_with = nullptr;
}

void shared_mailbox::never_came() {
  bells ring;
  std::lock_guard lock{mutex_};
  --started_;
  if (closing_ && settled()) wake_all(ring);
}

void shared_mailbox::leave(worker& w) {
  bells ring;
  std::lock_guard lock{mutex_};
  ledger_.remove_worker(w.id, [](run_id, std::uint64_t) { return mark::waiting; });
  std::erase(workers_, &w);
  std::erase(idle_, &w);
  w.bell.reset();
  if (w.supervised) --started_;
  if (w.retired) --retiring_;
  if (closing_ && settled())
    wake_all(ring);
  else if (!broken_)
    wake_worker(ring);
}

// -- upstream ---------------------------------------------------------------------

run_ptr shared_mailbox::open(const run_limits& limits, std::shared_ptr<job> work,
                             std::unique_ptr<input> from, doorbell_ptr sink) {
  std::lock_guard lock{mutex_};
  check_open();
  const run_id id = ledger_.open(limits);
  auto r = std::make_shared<run>(id, limits, std::move(work), std::move(from));
  r->sink_bell = std::move(sink);
  return runs_[id] = std::move(r);
}

void shared_mailbox::check_open() const {
  if (broken_) throw broken_pool{broken_};
  if (closing_) throw pool_shutdown{"fmap: this pool has been shut down: it takes no new work"};
}

/// The run of the tasks: it has no source and no sink, and no bound.
run& shared_mailbox::tasks() {
  if (!tasks_) {
    const run_limits limits{.buffersize = unbounded};
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
  if (!r.cut && !r.stopped) r.source_bell = std::move(source);
}

void shared_mailbox::detach_source(run& r, std::exception_ptr why) {
  bells ring;
  std::lock_guard lock{mutex_};
  if (r.input_over || r.cut || r.stopped) return;
  r.input_over = true;
  r.input_error = std::move(why);
  end_source(r, ring);
}

shared_mailbox::pulled shared_mailbox::pull(run& r, bool once) {
  bells ring;
  std::unique_lock lock{mutex_};
  r.source_waiting = false;
  while (!r.stopped && !r.input_over && !r.cut) {
    const std::uint32_t end = fillable(r);
    if (end == r.filled) {
      wake_sink(r, ring);
      if (r.cheap) {
        const std::uint64_t enough = std::max<std::uint64_t>(ledger_.buffersize(r.id) / 4, 1);
        lock.unlock();
        ring.ring();
        const bool there = r.source_spin.wait(
            [&] { return r.free_tokens.load(std::memory_order_relaxed) >= enough || r.stopped; });
        lock.lock();
        if (there || ledger_.counts(r.id).free != 0) continue;
      }
      r.source_waiting = true;
      return pulled::out_of_tokens;
    }
    if (end - r.filled > 1 && r.flush_every.load(std::memory_order_relaxed) > 1) want_tick(ring);
    r.in_source = true;
    chunk& c = *r.open;
    std::uint32_t filled = r.filled;
    bool more = false;
    std::exception_ptr error;
    lock.unlock();
    ring.ring();
    const auto begun = clock::now();
    try {
      more = r.from->pull(c, filled, end, r.flush_every);
    } catch (...) {
      error = std::current_exception();
    }
    const auto took = clock::now() - begun;
    lock.lock();
    r.in_source = false;
    if (took <= quick_fill)
      r.flush_every = std::min(2 * r.flush_every, c.capacity);
    else if (took >= slow_fill)
      r.flush_every = std::max(r.flush_every / 2, 1u);
    publish(r, filled, ring);
    if (!more && !r.stopped) {
      r.input_over = true;
      r.input_error = error;
    }
    if (broken_) {
      const auto why = std::make_exception_ptr(broken_pool{broken_});
      lock.unlock();
      bury(0, why);
      lock.lock();
    }
    if (once && more) return pulled::something;
  }
  end_source(r, ring);
  return pulled::over;
}

/// Up to where the open chunk may be filled; opens one and asks for tokens as needed.
std::uint32_t shared_mailbox::fillable(run& r) {
  if (r.open != nullptr && r.filled == r.open->capacity) r.open = nullptr;
  const auto counts = ledger_.counts(r.id);
  if (r.open == nullptr) {
    if (counts.free == 0 && counts.granted == 0) return r.filled = 0;
    if (r.unused.empty()) {
      const auto id = static_cast<std::uint32_t>(r.chunks.size());
      r.chunks.push_back(std::make_unique<chunk>(
          id, chunk_capacity(ledger_.buffersize(r.id), r.limits.chunksize, r.work->layout),
          r.work->layout));
      r.unused.push_back(r.chunks.back().get());
    }
    r.open = r.unused.back();
    r.unused.pop_back();
    r.open->first = counts.pulled;
    r.open->left = r.open->capacity;
    r.filled = 0;
  }
  const std::uint32_t room = r.open->capacity - r.filled;
  const std::uint64_t granted =
      counts.granted + (counts.granted < room ? ledger_.grant(r.id, room - counts.granted) : 0);
  return r.granted = r.filled + static_cast<std::uint32_t>(std::min<std::uint64_t>(granted, room));
}

/// Queues what has been pulled up to `filled`, unless somebody already has.
void shared_mailbox::publish(run& r, std::uint32_t filled, bells& ring) {
  r.published_at = clock::now();
  if (filled <= r.filled) return;
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
  ring.add(std::exchange(r.source_bell, nullptr));
  wake_sink(r, ring);
  notify_drained(r, ring);
  if (closing_ && idle_for_good()) wake_all(ring);
}

// -- downstream -------------------------------------------------------------------

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
  return next_result::wait;
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
  if (!r.cut) return;
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
    if (w->remote)
      ring.add(w->bell);  // what has not begun elsewhere is to be called back
    else if (w->busy_with == &r && w->batch.count > 1)
      split(*w, ring);
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
      waiter->wait();
      lock.lock();
    }
    ledger_.close(r.id);
    auto it = runs_.find(r.id);
    self = std::move(it->second);
    runs_.erase(it);
    r.source_bell.reset();
    r.sink_bell.reset();
  }
  r.from.reset();
  r.clear();
  r.work.reset();
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
