// SPDX-License-Identifier: BSD-3-Clause
// The consumer's end of a run.

#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>

#include <fmap/detail/inside.hpp>
#include <fmap/detail/journal_run.hpp>
#include <fmap/detail/retry_book.hpp>
#include <fmap/detail/sink.hpp>
#include <fmap/errors.hpp>

#include "actors/pool_core.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/kernel/sink_port.hpp"
#include "src/kernel/tuning.hpp"

namespace fmap::detail {

namespace {

using actors::clock;
using actors::grain;
using actors::next_result;
using actors::parker;
using actors::run_limits;
using actors::sink_port;

namespace tuning = kernel::tuning;

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument{"fmap: " + why}; }

std::uint64_t checked_bound(std::size_t buffersize) {
  if (buffersize == 0) refuse("buffersize must be at least 1: nothing can be in flight");
  return std::min<std::uint64_t>(buffersize, actors::unbounded);
}

void check_chunksize(std::size_t chunksize, std::uint64_t buffersize) {
  if (chunksize > buffersize)
    refuse("chunksize (" + std::to_string(chunksize) + ") is larger than buffersize ("
           + std::to_string(buffersize) + "): a batch could never be filled");
}

/// Tokens that go back at a time.
std::uint64_t group_of(std::uint64_t buffersize) {
  return std::max<std::uint64_t>(buffersize / tuning::token_group_share, 1);
}

}  // namespace

run_limits checked(const map_options& o, const pool_core& pool) {
  run_limits limits;
  if (o.buffersize) {
    limits.buffersize = checked_bound(*o.buffersize);
  } else {
    limits.buffersize = kernel::automatic_bound(pool.workers());
    limits.widest = std::max(limits.buffersize, tuning::automatic_bound);
  }
  if (o.chunksize) {
    if (*o.chunksize == 0)
      refuse("chunksize must be at least 1; leave it out for automatic batches");
    if (!o.buffersize)
      limits.widest = limits.buffersize = std::max<std::uint64_t>(limits.widest, *o.chunksize);
    check_chunksize(*o.chunksize, limits.buffersize);
    limits.chunksize = static_cast<std::uint32_t>(std::min<std::size_t>(*o.chunksize, 1u << 20));
  }
  if (o.timeout && *o.timeout < std::chrono::nanoseconds::zero())
    refuse("timeout is negative or not a number");
  if (o.item_timeout) {
    if (*o.item_timeout <= std::chrono::nanoseconds::zero())
      refuse("item_timeout must be positive");
    if (!pool.can_kill())
      refuse("item_timeout needs workers that can be killed: use a process_pool, or check a "
             "std::stop_token in the function");
  }
  if (o.max_attempts == 0) refuse("max_attempts must be at least 1");
  limits.max_attempts = o.max_attempts;
  if (o.item_timeout && *o.item_timeout < for_ever) limits.item_timeout = *o.item_timeout;
  limits.ordered = o.ordered;
  return limits;
}

struct sink::impl {
  static constexpr std::uint64_t unknown = std::numeric_limits<std::uint64_t>::max();

  std::shared_ptr<pool_core> pool;
  actors::run_ptr run;
  std::shared_ptr<parker> bell = std::make_shared<parker>();
  map_options options;
  actors::deadline until;
  bool started = false;
  std::uint64_t group = 1;  // tokens that go back at a time
  std::uint32_t span_size = 0;
  actors::spinner spin;
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
  const void* function = nullptr;  // what a thread in the user's code is inside of
  const void* range = nullptr;
  input* from = nullptr;  // the same, until the source begins
  std::atomic<std::uint64_t> total{unknown};
  std::mutex resizing;
  std::shared_ptr<journal_run> journal;
  std::uint64_t recorded = 0;  // of those handed out, with how many the consumer has finished
  std::atomic<std::uint64_t> handed_out{0};

  sink_port port() const { return sink_port{*pool->box}; }

  grain size() const { return run->seen.size.load(std::memory_order_relaxed); }

  /// Looks for a while whether something is worth coming for, if that is worth while.
  bool look() {
    const auto there = [this] {
      return run->seen.something_for_sink.load(std::memory_order_relaxed);
    };
    switch (kernel::lingers(kernel::role::sink, size(), false)) {
      case kernel::patience::none: return false;
      case kernel::patience::forgets: return spin.wait(there);
      default: return spin.wait_briefly(there);
    }
  }

  /// Waits to be rung, or to have ticked. False: the time is up.
  bool wait() {
    if (current_helper != nullptr) pool->help(*run, *bell);
    const auto soon = clock::now() + tuning::tick;
    if (run->out.ticks && (!until || soon < *until)) {
      if (!bell->wait(soon)) port().tick_now();
      return true;
    }
    return bell->wait(until);
  }
};

sink::sink(std::shared_ptr<pool_core> pool, std::shared_ptr<job> work, std::unique_ptr<input> from,
           const map_options& options, const journal_codec* codec) {
  pool->check_not_forked();
  auto made = std::make_unique<impl>();
  const run_limits limits = checked(options, *pool);
  made->options = options;
  made->function = work.get();
  made->range = from.get();
  made->from = from.get();
  if (options.keep_items) kept_ = from->keep_items();
  if (options.retry) {
    work->check_retries();
    work->retries = retries_ = std::make_shared<retry_book>(*options.retry);
  }
  if (options.journal != nullptr) {
    if (!work->recordable) refuse("journal: what this map is over cannot be recorded");
    const job& function = *work;
    made->journal = std::make_shared<journal_run>(*options.journal, codec, typeid(function));
    work->journal = made->journal;
    from->record(made->journal);
  }
  made->run =
      actors::pool_port{*pool->box}.open(limits, std::move(work), std::move(from), made->bell);
  made->pool = std::move(pool);
  impl_ = made.release();
  impl_->group = group_of(limits.buffersize);
  taken_ = impl_->journal ? &impl_->handed_out : &impl_->run->seen.taken;
  stopped_ = &impl_->run->seen.stopped;
}

sink::sink(sink&& other) noexcept
    : chunk_{other.chunk_}, offset_{other.offset_}, end_{other.end_}, group_end_{other.group_end_},
      quick_end_{other.quick_end_}, count_{other.count_}, taken_{other.taken_},
      stopped_{other.stopped_}, kept_{std::move(other.kept_)}, retries_{std::move(other.retries_)},
      impl_{std::exchange(other.impl_, nullptr)} {}

sink& sink::operator=(sink&& other) noexcept {
  if (this != &other) {
    std::destroy_at(this);
    std::construct_at(this, std::move(other));
  }
  return *this;
}

sink::~sink() {
  if (impl_ == nullptr || in_use_here()) return;
  if (impl_->pool->forked()) return;  // nobody is here to give it back to
  impl_->on_stop.reset();
  impl_->pool->let_go(*impl_->run);
  impl_->port().close(*impl_->run);
  if (impl_->journal) impl_->journal->end();
  delete impl_;
}

bool sink::in_use_here() const noexcept {
  return impl_ != nullptr && (inside::of(impl_->function) || inside::of(impl_->range));
}

void sink::start() {
  if (std::exchange(impl_->started, true)) return;
  impl_->total = impl_->from->size().value_or(impl::unknown);
  if (impl_->options.timeout) impl_->until = deadline_after(*impl_->options.timeout);
  impl_->on_stop.emplace(impl_->options.stop, [box = impl_->pool->box, run = impl_->run] {
    sink_port{*box}.stop(*run);
  });
  if (!impl_->run->seen.stopped) impl_->pool->start_source(impl_->run);
}

bool sink::next_slowly() { return impl_->journal ? next_recorded() : next_of_span(); }

bool sink::next_of_span() {
  if ((offset_ + 1 >= end_ || stopped_->load(std::memory_order_relaxed)) && !next_span())
    return false;
  take(offset_ + 1);
  if (offset_ >= group_end_) give_back();
  return true;
}

/// The outcome before is recorded now, so that its token may go back. What was recorded in another life is passed over.
bool sink::next_recorded() {
  journal_run& journal = *impl_->journal;
  journal.commit();
  for (;;) {
    impl_->recorded = count_;
    if (!next_of_span()) return false;
    auto& state = chunk_->state(offset_);
    if (state.load(std::memory_order_acquire) != slot_state::recorded) break;
    state.store(slot_state::empty, std::memory_order_relaxed);
    take_item();
  }
  journal.hold(*chunk_, offset_, impl_->pool->can_kill() ? attempts() : 1);
  return true;
}

/// What is taken and recorded counts as taken for the run.
void sink::release_recorded() {
  if (!impl_->journal) return;
  impl_->journal->make_durable();
  impl_->run->seen.taken.store(impl_->recorded, std::memory_order_relaxed);
}

/// False: there will be no more. Otherwise the outcomes at hand are those after offset_.
bool sink::next_span() {
  release_recorded();
  sink_port port = impl_->port();
  actors::run& r = *impl_->run;
  actors::outcome_span span{chunk_, end_, impl_->span_size};
  chunk_ = nullptr;
  offset_ = end_ = group_end_ = quick_end_ = 0;
  for (bool will_sleep = false, late = false;;) {
    switch (will_sleep ? port.next(r, span) : port.next_looking(r, span)) {
      case next_result::outcomes:
        chunk_ = span.in;
        end_ = group_end_ = span.end;
        quick_end_ = impl_->journal ? 0 : end_;
        impl_->span_size = span.count;
        impl_->group = group_of(span.buffersize);
        offset_ = span.end - span.count - 1;
        // Workers that pull many fine-grained items have enough tokens until the end of the span.
        if (impl_->group == 1 || !r.in.at_hand || impl_->size() != grain::fine)
          give_back_after(offset_ + 1);
        return true;
      case next_result::end:
        if (r.seen.stopped) return false;
        if (r.in.error) std::rethrow_exception(std::exchange(r.in.error, nullptr));
        port.throw_if_cut(r);
        return false;
      case next_result::wait:
        if (late) throw timeout_error{"fmap: no result was ready within the map's timeout"};
        if (!std::exchange(will_sleep, true)) {
          if (impl_->look())
            will_sleep = false;
          else if (impl_->size() == grain::fine)
            port.distrust(r);
          break;
        }
        will_sleep = false;
        if (impl_->wait()) break;
        late = true;  // a last look: what is ready may have been withheld until the next tick
        port.tick_now();
    }
  }
}

void sink::give_back() {
  release_recorded();
  impl_->port().give_tokens_back(*impl_->run);
  give_back_after(offset_ + 1);
}

/// Tokens go back with the group that begins at this offset.
void sink::give_back_after(std::uint32_t offset) {
  const std::uint64_t last = std::uint64_t{offset} + impl_->group - 1;
  group_end_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(end_, last));
  quick_end_ = impl_->journal ? 0 : group_end_;
}

void sink::resize(std::size_t buffersize) {
  const std::uint64_t bound = checked_bound(buffersize);
  if (impl_ == nullptr) return;
  if (impl_->options.chunksize) check_chunksize(*impl_->options.chunksize, bound);
  const std::lock_guard guard{impl_->resizing};
  if (impl_->port().resize(*impl_->run, bound)) impl_->pool->bound_changed(bound);
}

void sink::stop() noexcept { impl_->port().stop(*impl_->run); }

std::uint32_t sink::attempts() const { return impl_->port().attempts(*impl_->run, index()); }

std::uint32_t sink::count_tries(bool failed) const { return retries_->tries(index(), failed); }

map_stats sink::stats() const {
  if (!impl_) return {};
  const actors::run_stats s = impl_->port().stats(*impl_->run);
  map_stats result;
  result.buffersize = static_cast<std::size_t>(s.buffersize);
  result.pulled = s.counts.pulled;
  result.queued = s.counts.queued;
  result.running = s.counts.held;
  result.waiting = s.counts.waiting;
  result.ready = s.ready;
  result.taken = s.taken;
  result.failed = s.failed;
  result.retried = s.counts.retried;
  result.quarantined = s.counts.quarantined;
  result.in_flight = result.queued + result.running + result.waiting + result.ready;
  result.peak_in_flight = s.counts.peak_in_flight;
  result.dropped = s.counts.dropped;
  result.elapsed = s.elapsed;
  result.workers = s.workers;
  if (const auto total = impl_->total.load(); total != impl::unknown) result.total = total;
  if (impl_->journal) {
    // The run does not know yet of the last ones that were taken.
    const std::uint64_t more = impl_->handed_out.load(std::memory_order_relaxed) - result.taken;
    const std::uint64_t ready = std::min(more, result.ready);
    result.taken += more;
    result.ready -= ready;
    result.in_flight -= ready;
    result.dropped -= std::min(more - ready, result.dropped);
  }
  return result;
}

}  // namespace fmap::detail
