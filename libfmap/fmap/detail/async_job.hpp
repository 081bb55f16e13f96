// SPDX-License-Identifier: BSD-3-Clause
// A job whose function returns futures: it starts items, and they finish whenever they like.
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

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

  explicit calling_job(Fn fn) : fn_{std::move(fn)} { this->asynchronous = true; }

  std::uint32_t apply(chunk& c, std::uint32_t i, progress& at, std::uint32_t /*worker*/) override {
    const inside here{static_cast<job*>(this)};
    for (; at.claim(i); ++i) start(c, i);
    return i;
  }

private:
  void start(chunk& c, std::uint32_t i) {
    const std::uint64_t index = c.first + i;
    try {
      const future<value> result = call(c, i);
      result.add_done_callback([this, gate = gate, &c, i, index](const future<value>& done) {
        gate->finished(index, [&] { fill(c, i, done); });
      });
      if (gate->helped() && !result.done()) gate->began(future_access::state(result));
    } catch (...) {
      gate->finished(index, [&] { this->fail(c, i, std::current_exception()); });
    }
  }

  future<value> call(chunk& c, std::uint32_t i) {
    const destroyed_at_last<In> slot{*static_cast<In*>(c.at(i))};
    mark_running(c.state(i));
    return detail::invoke(fn_, std::move(slot.what));
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

  Fn fn_;
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
std::shared_ptr<pool_core> make_async_core();

/// The options of such a map: without a pool there are no workers to derive a buffersize from.
map_options calling_options(map_options);

/// A pool of as many threads as the map has items in flight, for functions that return std::future.
std::shared_ptr<pool_core> make_waiting_core(std::size_t buffersize);

}  // namespace fmap::detail
