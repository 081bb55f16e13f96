// SPDX-License-Identifier: BSD-3-Clause
// Functions that take many items in one call.
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include <fmap/detail/api.hpp>
#include <fmap/detail/batch_job.hpp>
#include <fmap/errors.hpp>
#include <fmap/fn.hpp>
#include <fmap/with_state.hpp>

namespace fmap {

/// What a function over batches gives its outcomes to. A handle: cheap to copy, and good until the call returns. One
/// thread at a time uses it; that need not be the one that was called.
template <class R>
class delivery {
public:
  /// The item at `position` in the batch has this value. Its outcome is ready soon afterwards, though the call goes on:
  /// at the latest with 64 of them, with the next one after 50 microseconds, or at the pool's next tick; that of the
  /// batch's last item when the call has returned. What making the result from `value` throws is that item's error, and
  /// it is not tried again. Throws `std::out_of_range` for a position that is none, `std::logic_error` for an item that
  /// has an outcome. Results may be encoded or destroyed in here: hold no lock that they need.
  template <std::convertible_to<R> Value>
  void operator()(std::size_t position, Value&& value) const {
    put(position, std::forward<Value>(value));
  }
  void operator()(std::size_t position, detail::stored<R>&& value) const
      requires(!std::is_void_v<R>) {
    put(position, std::move(value));
  }

  /// The same where there is no value.
  void operator()(std::size_t position) const requires std::is_void_v<R> { put(position); }

  /// The item at `position` has failed. If it is to be tried again it waits for the end of the call. Throws as above, and
  /// `std::invalid_argument` for a null pointer.
  void fail(std::size_t position, const std::exception_ptr& error) const {
    to_->fail(position, error);
  }

  /// The number of items in the batch.
  std::size_t size() const { return to_->size(); }

private:
  template <class In, class Fn>
  friend class detail::batch_job;
  explicit delivery(detail::batch_under_way& to) : to_{&to} {}

  template <class... Value>
  void put(std::size_t position, Value&&... value) const {
    void* const place = to_->open(position);
    try {
      ::new (place) detail::stored<R>(std::forward<Value>(value)...);
    } catch (...) {
      return to_->fail_opened(position, std::current_exception());
    }
    to_->close(position);
  }

  detail::batch_under_way* to_;
};

/// The result of on_batches(). F: a function, or with_state().
template <class R, class F>
struct batched {
  F fn;
};

namespace detail {

/// What a function's last parameter says about its results.
struct not_said;
template <class T>
struct value_of_delivery {
  using type = not_said;
};
template <class R>
struct value_of_delivery<delivery<R>> {
  using type = R;
};

template <class... T>
struct last_type {
  using type = void;
};
template <class First, class... Rest>
struct last_type<First, Rest...> : last_type<Rest...> {};
template <class Last>
struct last_type<Last> {
  using type = std::remove_cvref_t<Last>;
};

template <class... Args>
using said_by =
    std::type_identity<typename value_of_delivery<typename last_type<Args...>::type>::type>;
template <class R, class... Args>
said_by<Args...> look_at(R (*)(Args...));
template <class R, class C, class... Args>
said_by<Args...> look_at(R (C::*)(Args...) const);
template <class R, class C, class... Args>
said_by<Args...> look_at(R (C::*)(Args...));

template <class T>
struct bare_function {
  using type = T;
};
template <auto F>
struct bare_function<named_function<F>> {
  using type = decltype(F);
};
template <class Make, class Fn>
struct bare_function<stateful<Make, Fn>> : bare_function<Fn> {};

template <class Fn>
consteval auto delivered_by() {
  if constexpr (std::is_pointer_v<Fn>)
    return decltype(look_at(std::declval<Fn>())){};
  else if constexpr (requires { look_at(&Fn::operator()); })
    return decltype(look_at(&Fn::operator())){};
  else
    return std::type_identity<not_said>{};
}

/// R, or what the function says if that is left out.
template <class R, class Fn>
consteval auto delivered() {
  using result = typename decltype([] {
    if constexpr (std::same_as<R, not_said>)
      return delivered_by<typename bare_function<Fn>::type>();
    else
      return std::type_identity<R>{};
  }())::type;
  static_assert(
      !std::same_as<result, not_said>,
      "fmap: on_batches: nothing says what this function delivers: let its last parameter be "
      "fmap::delivery<Result> instead of auto, or write fmap::on_batches<Result>(fn)");
  return std::type_identity<result>{};
}
template <class R, class Fn>
using delivered_type = typename decltype(delivered<R, Fn>())::type;

}  // namespace detail

/// A function for a map or a stage that is called for many items at once: `fn(items, deliver)`, where `items` is a
/// `std::span<Item>` (or `std::span<const Item>`) and `deliver` a `delivery<R>`, through which it gives each item its
/// outcome, in any order. For what costs about as much for many as for one: a query to a database, a GPU, SIMD, a
/// co-process.
///
/// Each item gets exactly one outcome: the value that is delivered; the error it is failed with; for those that have
/// neither, what `fn` throws, or `not_delivered` if it returns. A batch has at most as many items as `chunksize` says.
/// Without it batches are as large as the bound lets them be (the threads of all workers share half of it; at most 256
/// items, and 64 KiB of items and results), and smaller only where items are scarce or come back to be
/// tried again. Without a buffersize 1024 items may
/// be in flight. To worker processes a batch travels in messages of about a megabyte, each of which is a call.
///
/// Leaving the map early waits for calls under way. Where a worker process dies inside `fn`, nobody is to blame for
/// sure: what has not been delivered runs again, each item in a batch of its own, and counts its deaths there
/// (with `max_attempts` 1 it is lost). An `item_timeout` counts from the beginning of the call until the item is
/// delivered, or until the call returns for the batch's last one.
///
/// R can be left out if the last parameter of `fn` says it.
template <class R = detail::not_said, class Fn>
auto on_batches(Fn&& fn) {
  using function = std::decay_t<Fn>;
  return batched<detail::delivered_type<R, function>, function>{std::forward<Fn>(fn)};
}

/// The same with a state for each worker: `make()` is called once for each, and then `fn(state, items, deliver)`. See
/// with_state().
template <class R = detail::not_said, class Make, class Fn>
auto on_batches(Make&& make, Fn&& fn) {
  using function = stateful<std::decay_t<Make>, std::decay_t<Fn>>;
  return batched<detail::delivered_type<R, std::decay_t<Fn>>, function>{
      {std::forward<Make>(make), std::forward<Fn>(fn)}};
}

namespace detail {

template <class R, class F, class In>
class caller<batched<R, F>, In> {
public:
  using result = R;
};

template <class R, class F, class In>
struct callable_with<batched<R, F>, In> : can_call<F, std::span<In>, delivery<R>&> {};
template <class R, class F, class In>
struct callable_with<const batched<R, F>, In> : can_call<const F, std::span<In>, delivery<R>&> {};

template <class R, class F>
inline constexpr bool is_batched<batched<R, F>> = true;

template <class In, class R, class F>
struct job_for<In, batched<R, F>> {
  using type = batch_job<In, batched<R, F>>;
};

}  // namespace detail

}  // namespace fmap
