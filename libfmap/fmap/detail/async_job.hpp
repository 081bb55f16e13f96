// SPDX-License-Identifier: BSD-3-Clause
// A job whose function returns futures: it starts items, and they finish whenever they like.
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <fmap/detail/api.hpp>
#include <fmap/detail/function.hpp>
#include <fmap/detail/function_job.hpp>
#include <fmap/future.hpp>
#include <fmap/options.hpp>

namespace fmap::detail {

class pool_core;

/// Where futures report that their items are done, from any thread; closed by the map before the slots
/// are gone.
class async_gate {
public:
  virtual ~async_gate() = default;

  /// Has the outcome put into its slot and counts the item as finished; does nothing once the map is closed.
  /// Needs no memory: there is nobody to tell that there is none.
  template <class Fill>
  void finished(std::uint64_t index, Fill fill) {
    if (!enter()) return;
    fill();
    leave(index);
  }

  /// Whether the consumer is a task that can run other tasks of its pool while it waits for them.
  virtual bool helped() const = 0;

  /// An item's future that may be such a task's. To be called if `helped()`.
  virtual void began(const state_ptr<future_state_base>&) = 0;

  std::shared_ptr<const void> function;  ///< coroutines of it may be under way when the map is gone

protected:
  /// False: the map is closed.
  virtual bool enter() = 0;
  virtual void leave(std::uint64_t index) = 0;
};

/// The type-erased part: the run's gate is set before the first item.
class async_job {
public:
  virtual ~async_job() = default;
  std::shared_ptr<async_gate> gate;
};

template <class Future>
struct promised;
template <class T>
struct promised<future<T>> {
  using type = T;
};

/// std::future and its like, known by what they do: its header takes long to compile.
template <class F>
concept plain_future = std::movable<F> && !std::copyable<F> && requires(F f) {
  { f.valid() } -> std::same_as<bool>;
  f.wait();
  f.get();
};
template <plain_future F>
struct promised<F> {
  using type = decltype(std::declval<F&>().get());
};

template <class Fn, class In>
using call_result = std::remove_cvref_t<std::invoke_result_t<Fn&, In>>;

template <class Fn, class In>
concept returns_future = std::invocable<Fn&, In> && requires {
  typename promised<call_result<Fn, In>>::type;
};

template <class Fn, class In>
concept returns_plain_future = returns_future<Fn, In> && plain_future<call_result<Fn, In>>;

template <class In, class Fn>
class calling_job final
    : public typed_job<In, stored<typename promised<call_result<Fn, In>>::type>>,
      public async_job {
public:
  using value = typename promised<call_result<Fn, In>>::type;
  using out = stored<value>;

  explicit calling_job(Fn fn) : fn_{std::make_shared<Fn>(std::move(fn))} {
    this->asynchronous = true;
    this->recordable = true;
  }

  std::uint32_t apply(chunk& c, std::uint32_t i, progress& at, std::uint32_t /*worker*/) override {
    const inside here{static_cast<job*>(this)};
    if (!gate->function) gate->function = fn_;
    for (; at.claim(i); ++i) {
      if (this->recalled(c, i))
        gate->finished(c.first + i, [] {});
      else
        start(c, i);
    }
    return i;
  }

private:
  /// An item, for as long as its future is not done: what was called may refer to it, also if the map is left.
  /// It is a callback of that future then.
  class call final : public waiter {
  public:
    call() noexcept : waiter{kind::callback} {}

    /// Moves the item here, and calls the function with it.
    future<value> begin(calling_job& job, chunk& c, std::uint32_t i) {
      job_ = &job;
      gate_ = job.gate;
      chunk_ = &c;
      at_ = i;
      index_ = c.first + i;
      {
        const destroyed_at_last<In> slot{*static_cast<In*>(c.at(i))};
        mark_running(c.state(i));
        item_.emplace(std::move(slot.what));
      }
      return detail::invoke(*job.fn_, std::move(*item_));
    }

    void end(const future<value>& done) {
      item_.reset();
      gate_->finished(index_, [&] { job_->fill(*chunk_, at_, done); });
      gate_.reset();
    }

    void fail(const std::exception_ptr& error) {
      item_.reset();
      gate_->finished(index_, [&] { job_->fail(*chunk_, at_, error); });
      gate_.reset();
    }

    void notify(future_state_base& state) noexcept override {
      end(future_access::make<value>(
          state_ptr<future_state<value>>::share(static_cast<future_state<value>*>(&state))));
    }

  private:
    calling_job* job_ = nullptr;  // this and the chunk are there as long as the gate is open
    std::shared_ptr<async_gate> gate_;
    chunk* chunk_ = nullptr;
    std::uint32_t at_ = 0;
    std::uint64_t index_ = 0;
    std::optional<In> item_;
  };

  /// One thread calls it. The place of an item whose future is done at once is used again.
  void start(chunk& c, std::uint32_t i) {
    try {
      if (!next_) next_ = std::make_unique<call>();
    } catch (...) {
      return this->gate->finished(c.first + i, [&] { this->fail(c, i, std::current_exception()); });
    }
    future<value> result;
    try {
      result = next_->begin(*this, c, i);
      if (!result.valid()) throw_no_state("future");
    } catch (...) {
      return next_->fail(std::current_exception());
    }
    const auto& state = future_access::state(result);
    if (gate->helped() && !result.done()) gate->began(state);
    if (state->add(*next_))
      static_cast<void>(next_.release());
    else
      next_->end(result);
  }

  void fill(chunk& c, std::uint32_t i, const future<value>& done) {
    try {
      if constexpr (std::is_void_v<value>) {
        done.get();
        ::new (c.value(i)) out{};
      } else if constexpr (std::copy_constructible<value>) {
        ::new (c.value(i)) out(done.get());  // somebody else may have a handle to the same result
      } else {
        ::new (c.value(i)) out(done.take());
      }
      c.state(i).store(slot_state::value, std::memory_order_release);
    } catch (...) {
      this->fail(c, i, std::current_exception());
    }
  }

  std::unique_ptr<call> next_;
  const std::shared_ptr<Fn> fn_;
};

/// Calls a function that returns a std::future, and waits for that.
template <class Fn>
struct awaiting {
  Fn fn;

  template <class Item>
  auto operator()(Item&& item) const {
    return detail::invoke(fn, std::forward<Item>(item)).get();
  }
};

/// The pool of a map without one: a thread of its own that pulls and calls; no workers.
FMAP_API std::shared_ptr<pool_core> make_async_core();

/// The options of such a map: without a pool there are no workers to derive a buffersize from.
FMAP_API map_options calling_options(map_options);

/// A pool of as many threads as the map has items in flight, for functions that return std::future.
FMAP_API std::shared_ptr<pool_core> make_waiting_core(std::size_t buffersize);

}  // namespace fmap::detail
