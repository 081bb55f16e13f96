// SPDX-License-Identifier: BSD-3-Clause
// future_map: any input range through a function on a pool, bounded, results as they complete.
#pragma once

#include <concepts>
#include <cstddef>
#include <iterator>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <fmap/detail/async_job.hpp>
#include <fmap/detail/function_job.hpp>
#include <fmap/detail/journal_codec.hpp>
#include <fmap/detail/mistakes.hpp>
#include <fmap/detail/pool_like.hpp>
#include <fmap/detail/range_input.hpp>
#include <fmap/detail/sink.hpp>
#include <fmap/options.hpp>
#include <fmap/outcome.hpp>

namespace caf {
class actor_system;
}

namespace fmap {

namespace detail {

/// A buffersize given as a plain number.
template <std::integral N>
map_options with_buffersize(N n) {
  if (std::cmp_less(n, 1))
    throw std::invalid_argument{"fmap: buffersize must be at least 1: nothing can be in flight"};
  map_options options;
  options.buffersize = static_cast<std::size_t>(n);
  return options;
}

/// What a map yields; deduction comes here before any constructor can say what is wrong, and with some
/// compilers before it is known that Pool is one.
template <class Pool, class Fn, std::ranges::input_range Range>
consteval auto map_result_type() {
  if constexpr (!pool_like<Pool>)
    return std::type_identity<std::monostate>{};
  else if constexpr (require_callable_with<std::decay_t<Fn>, item_of<Range>>())
    return std::type_identity<result_of<std::decay_t<Fn>, item_of<Range>>>{};
  else
    return std::type_identity<std::monostate>{};
}
template <class Pool, class Fn, class Range>
using map_result = typename decltype(map_result_type<Pool, Fn, Range>())::type;

template <class Pool, class Range, class Fn>
std::shared_ptr<job> make_map_job(Fn&& fn) {
  static_assert(require_callable_with<std::decay_t<Fn>, item_of<Range>>());
  return make_pool_job<Pool, item_of<Range>, std::decay_t<Fn>>(std::forward<Fn>(fn));
}

/// A function for a map without a pool.
template <class Fn, class Range>
concept calls_for =
    std::ranges::input_range<Range> && returns_future<std::decay_t<Fn>, item_of<Range>>;

template <class Fn, class Range>
using called_result =
    stored<typename promised<call_result<std::decay_t<Fn>, item_of<Range>>>::type>;

template <class Fn, class Range>
sink make_calling_sink(Fn&& fn, Range&& range, const map_options& given,
                       const journal_codec* codec) {
  using function = std::decay_t<Fn>;
  using item = item_of<Range>;
  if constexpr (returns_plain_future<function, item>)
    static_assert(require_callable_with<function, item>());
  const map_options options = calling_options(given);
  auto from = std::make_unique<range_input<Range>>(std::forward<Range>(range));
  if constexpr (returns_plain_future<function, item>) {
    return sink{make_waiting_core(*options.buffersize),
                std::make_shared<function_job<item, awaiting<function>>>(
                    awaiting<function>{std::forward<Fn>(fn)}),
                std::move(from), options, codec};
  } else {
    return sink{make_async_core(),
                std::make_shared<calling_job<item, function>>(std::forward<Fn>(fn)),
                std::move(from), options, codec};
  }
}

/// Maps over actors; defined in <fmap/actor.hpp>.
template <class R, class Actor>
struct actor_sink {
  static_assert(!std::is_same_v<R, R>, "fmap: to map through an actor, include <fmap/actor.hpp>");
};

}  // namespace detail

/// A map in progress: a single-pass range of the results, in the order in which they complete.
///
/// Nothing is pulled from the input before begin(); after that at most `buffersize` items are in flight,
/// counted from the pull until the result is taken, which begin() and `++` do. A result is valid until
/// the next one is taken. When the function threw for an item, taking its result throws that exception
/// and ends the map; outcomes() delivers errors as values instead and goes on. What the input's iterator
/// throws arrives after the results of everything that was pulled before it.
///
/// One thread at a time touches the input: a thread of the map's own, which may block there, or, where
/// pulling never blocks (contiguous ranges and integral views::iota, on a thread_pool), any worker that
/// needs items.
///
/// Leaving early is safe at any point. The destructor stops the source, drops what is queued, and waits
/// until running calls (of the function and of the iterator) have returned. Movable while no iterator is
/// in use. One thread iterates; stats() may be called from any thread at any time. (A map that is destroyed by its own
/// function or iterator, as std::exit in there does with a static one, waits for nobody and is left as it is.)
///
/// Seed: future-map's FutureMap for Python's concurrent.futures.
template <class R>
class future_map {
public:
  class iterator;

  /// Maps `range` (an lvalue is referred to, anything else moved in) through `fn` on `pool`. `fn` is
  /// shared by all workers and called concurrently, as a constant and with the item as an rvalue. Throws
  /// `std::invalid_argument` for bad options, `pool_shutdown` or `broken_pool` if the pool takes no work.
  template <detail::pool_like Pool, class Fn, std::ranges::input_range Range,
            class Journal = fmap::journal, bool Included = requires {
    sizeof(Journal);
  }
  > future_map(Pool& pool, Fn&& fn, Range&& range, const map_options& options = {})
      : sink_{pool.core(), detail::make_map_job<Pool, Range>(std::forward<Fn>(fn)),
              std::make_unique<detail::range_input<Range>>(std::forward<Range>(range)), options,
              detail::journal_codec_of<Included, detail::item_of<Range>, R>()} {}

  template <detail::pool_like Pool, class Fn, std::ranges::input_range Range, std::integral N>
  future_map(Pool& pool, Fn&& fn, Range&& range, N buffersize)
      : future_map{pool, std::forward<Fn>(fn), std::forward<Range>(range),
                   detail::with_buffersize(buffersize)} {}

  /// Without a pool: `fn` returns a future. It is called in input order, by one thread of the map's own,
  /// whenever a token is free; the futures complete whenever they like, on any thread, and their values
  /// and errors are the results. The default buffersize is 16. The destructor does not wait for futures
  /// that are still open; their results are dropped.
  ///
  /// `fn` may also return a `std::future`. Since nobody tells when that is ready, each one in flight then
  /// costs a thread that waits for it; `fn` is called by these threads, concurrently, and the destructor
  /// does wait.
  template <class Range, detail::calls_for<Range> Fn, class Journal = fmap::journal,
            bool Included = requires {
    sizeof(Journal);
  }
  > future_map(Fn&& fn, Range&& range, const map_options& options = {})
      : sink_{detail::make_calling_sink(
          std::forward<Fn>(fn), std::forward<Range>(range), options,
          detail::journal_codec_of<Included, detail::item_of<Range>, R>())} {}

  template <class Range, detail::calls_for<Range> Fn, std::integral N>
  future_map(Fn&& fn, Range&& range, N buffersize)
      : future_map{std::forward<Fn>(fn), std::forward<Range>(range),
                   detail::with_buffersize(buffersize)} {}

  /// The function is an actor: each item is a request to it, its answer the result, an error in answer
  /// the item's error (actor_error). If the actor dies, what it has not answered fails and the map ends.
  /// Needs <fmap/actor.hpp>; R is deduced for typed actors, else `future_map<R>(system, ...)`.
  template <class Actor, std::ranges::input_range Range>
  future_map(caf::actor_system& system, const Actor& actor, Range&& range,
             const map_options& options = {})
      : sink_{
          detail::actor_sink<R, Actor>::make(system, actor, std::forward<Range>(range), options)} {}

  template <class Actor, std::ranges::input_range Range, std::integral N>
  future_map(caf::actor_system& system, const Actor& actor, Range&& range, N buffersize)
      : future_map{system, actor, std::forward<Range>(range), detail::with_buffersize(buffersize)} {
  }

  /// For pools: a map over a job of their making.
  future_map(std::shared_ptr<detail::pool_core> pool, std::shared_ptr<detail::job> work,
             std::unique_ptr<detail::input> from, const map_options& options,
             const detail::journal_codec* codec = nullptr)
      : sink_{std::move(pool), std::move(work), std::move(from), options, codec} {}

  future_map(future_map&& other) noexcept
      : sink_{std::move(other.sink_)}, holding_{std::exchange(other.holding_, false)},
        over_{std::exchange(other.over_, true)} {}

  /// Leaves the old run as the destructor would.
  future_map& operator=(future_map&& other) noexcept {
    if (this != &other) {
      release();
      sink_ = std::move(other.sink_);
      holding_ = std::exchange(other.holding_, false);
      over_ = std::exchange(other.over_, true);
    }
    return *this;
  }

  ~future_map() {
    if (!sink_.in_use_here()) release();
  }

  /// Starts the map and takes its first result; called again, continues where the map is.
  iterator begin() {
    start();
    if (!holding_ && !over_) advance();
    return iterator{*this};
  }

  std::default_sentinel_t end() const noexcept { return {}; }

  class outcome_range;

  /// The same run as outcomes: one for each pulled item, failed or not; the run goes on after failures.
  outcome_range outcomes() & { return outcome_range{*this}; }
  outcome_range outcomes() && { return outcome_range{std::move(*this)}; }

  /// At most `buffersize` items are in flight from now on: more at once, fewer as results are taken; nothing that has
  /// been pulled is lost. What is being pulled at the moment of the call still counts. Any thread may call it at any
  /// time; of a map that has ended it changes nothing. Throws `std::invalid_argument` for 0, and for less than the
  /// map's chunksize.
  template <std::integral N>
  void resize_buffer(N buffersize) {
    sink_.resize(*detail::with_buffersize(buffersize).buffersize);
  }

  /// One consistent snapshot.
  map_stats stats() const { return sink_.stats(); }

private:
  void start() {
    if (over_) return;
    over_ = true;  // should it throw
    sink_.start();
    over_ = false;
  }

  /// Destroys the current result.
  void release() {
    if (!std::exchange(holding_, false)) return;
    if constexpr (!std::is_trivially_destructible_v<R>) {
      std::destroy_at(&current());
      state().store(detail::slot_state::empty, std::memory_order_relaxed);
    }
  }

  std::atomic<detail::slot_state>& state() const {
    return sink_.current_chunk().state(sink_.offset());
  }

  R& current() const {
    return *std::launder(static_cast<R*>(sink_.current_chunk().value(sink_.offset())));
  }

  /// Moves the error out of the current slot.
  std::exception_ptr take_error() {
    std::exception_ptr& slot = sink_.current_chunk().error(sink_.offset());
    std::exception_ptr error = std::move(slot);
    std::destroy_at(&slot);
    state().store(detail::slot_state::empty, std::memory_order_relaxed);
    return error;
  }

  /// Makes the next outcome current; false at the end. An error is left in its slot.
  bool step() {
    release();
    over_ = true;  // should it throw
    over_ = !sink_.next();
    return !over_;
  }

  bool failed() const {
    return state().load(std::memory_order_acquire) == detail::slot_state::error;
  }

  void advance() {
    if (!step()) return;
    sink_.take_item();
    sink_.take_tries(failed());
    if (failed()) fail();
    holding_ = true;
  }

  [[noreturn]] void fail() {
    const std::exception_ptr error = take_error();
    over_ = true;
    sink_.stop();
    std::rethrow_exception(error);
  }

  detail::sink sink_;
  bool holding_ = false;  // a result is current
  bool over_ = false;
};

/// Single-pass: all iterators of a map are at the same place.
template <class R>
class future_map<R>::iterator {
public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = R;
  using difference_type = std::ptrdiff_t;

  iterator() = default;

  R& operator*() const { return map_->current(); }
  R* operator->() const { return &map_->current(); }
  iterator& operator++() {
    map_->advance();
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return map_ == nullptr || !map_->holding_; }

private:
  friend class future_map;
  explicit iterator(future_map& map) : map_{&map} {}

  future_map* map_ = nullptr;
};

/// A single-pass range of outcomes; refers to the map, or owns it if it came from an rvalue.
template <class R>
class future_map<R>::outcome_range {
public:
  class iterator {
  public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = outcome<R>;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    outcome<R>& operator*() const { return **range_->current_; }
    outcome<R>* operator->() const { return &**range_->current_; }
    iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const {
      return range_ == nullptr || !*range_->current_;
    }

  private:
    friend class outcome_range;
    explicit iterator(outcome_range& range) : range_{&range} {}
    outcome_range* range_ = nullptr;
  };

  iterator begin() {
    map().start();
    if (!*current_) advance();
    return iterator{*this};
  }
  std::default_sentinel_t end() const noexcept { return {}; }

  /// The map whose outcomes these are.
  future_map& map() noexcept { return owned_ ? *owned_ : *referred_; }

private:
  friend class future_map;
  explicit outcome_range(future_map& map) : referred_{&map} {}
  explicit outcome_range(future_map&& map) : owned_{std::make_unique<future_map>(std::move(map))} {}

  void advance() {
    future_map& m = map();
    current_->reset();
    if (m.over_ || !m.step()) return;
    const std::uint64_t index = m.sink_.index();
    const std::uint32_t attempts = m.sink_.attempts();
    detail::outcome_details more{m.sink_.take_tries(m.failed()), m.sink_.take_item()};
    if (m.failed()) {
      current_->emplace(index, attempts, m.take_error(), std::move(more));
    } else {
      m.holding_ = true;
      current_->emplace(index, attempts, std::move(m.current()), std::move(more));
    }
  }

  future_map* referred_ = nullptr;
  std::unique_ptr<future_map> owned_;

  /// Not within this object, which is on somebody's stack: a value may be too large for that.
  std::unique_ptr<std::optional<outcome<R>>> current_ =
      std::make_unique<std::optional<outcome<R>>>();
};

template <detail::pool_like Pool, class Fn, std::ranges::input_range Range>
future_map(Pool&, Fn&&, Range&&) -> future_map<detail::map_result<Pool, Fn, Range>>;
template <detail::pool_like Pool, class Fn, std::ranges::input_range Range>
future_map(Pool&, Fn&&, Range&&, map_options) -> future_map<detail::map_result<Pool, Fn, Range>>;
template <detail::pool_like Pool, class Fn, std::ranges::input_range Range, std::integral N>
future_map(Pool&, Fn&&, Range&&, N) -> future_map<detail::map_result<Pool, Fn, Range>>;

template <class Range, detail::calls_for<Range> Fn>
future_map(Fn&&, Range&&) -> future_map<detail::called_result<Fn, Range>>;
template <class Range, detail::calls_for<Range> Fn>
future_map(Fn&&, Range&&, map_options) -> future_map<detail::called_result<Fn, Range>>;
template <class Range, detail::calls_for<Range> Fn, std::integral N>
future_map(Fn&&, Range&&, N) -> future_map<detail::called_result<Fn, Range>>;

// -- mistakes: calls that none of the guides above takes, see mistakes.hpp --------

/// Its members are for what follows in the program, so that the compiler says nothing else.
template <class... Args>
class future_map<detail::mistake<Args...>> {
public:
  static_assert(detail::explain_map<Args...>());

  template <class... Any>
  future_map(Any&&...) {}  // NOLINT(google-explicit-constructor)
  template <class Pool, class Fn, class T, class... Any>
  future_map(Pool&&, Fn&&, std::initializer_list<T>, Any&&...) {}
  template <class Pool, class Fn, class Range>
  future_map(Pool&&, Fn&&, Range&&, const map_options&) {}
  future_map(...) {}  // NOLINT(google-explicit-constructor)

  int* begin();
  int* end();
  future_map& outcomes();
  map_stats stats() const;
};

template <class... Args>
  requires(!detail::is_map_call<Args...>)
future_map(Args&&...)
->future_map<detail::mistake<Args...>>;
template <class Pool, class Fn, class Range>
  requires(!detail::is_map_call<Pool, Fn, Range>)
future_map(Pool&&, Fn&&, Range&&, map_options)
->future_map<detail::mistake<Pool, Fn, Range, map_options>>;
template <class Pool, class Fn, class T, class... Args>
future_map(Pool&&, Fn&&, std::initializer_list<T>, Args&&...)
    -> future_map<detail::mistake<Pool, Fn, detail::braces, Args...>>;
future_map(...)->future_map<detail::mistake<detail::unclear>>;

}  // namespace fmap
