// SPDX-License-Identifier: BSD-3-Clause
// A handle to a result that comes later.
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <fmap/detail/api.hpp>
#include <fmap/detail/function.hpp>
#include <fmap/detail/future_state.hpp>
#include <fmap/detail/waiting.hpp>
#include <fmap/errors.hpp>

namespace fmap {

template <class T>
class future;

namespace detail {

struct future_access;

template <class Fn, class Future>
concept callback_for = std::invocable<std::add_lvalue_reference_t<std::decay_t<Fn>>, Future>;

/// Writes what a callback threw to standard error, in one line.
FMAP_API void report_callback_error() noexcept;

[[noreturn]] FMAP_API void throw_no_state(const char* what);

/// Calls a callback; the caller holds a reference. The callback's handle is made here, inside the `try`: from a
/// parameter that `fn` moves from before it throws, g++ 12 takes the reference twice.
template <class T, class Fn>
void run_callback(Fn& fn, future_state<T>& done) noexcept;

/// A callback in the list of its state.
template <class T, class Fn>
class callback final : public waiter {
public:
  explicit callback(Fn fn) : waiter{kind::callback}, fn_{std::move(fn)} {}
  void notify(future_state_base& state) noexcept override;

private:
  Fn fn_;
};

}  // namespace detail

/// A handle to a result that comes later; `future<void>` for work without a result. What submit()
/// returns and promise::get_future() makes.
///
/// Copies refer to the same result, compare equal and hash alike. States as in Python: pending, running,
/// cancelled, finished; the last two are *done*. All members may be called from several threads at once
/// (on one handle: the const ones). Every operation on a default-constructed or moved-from future, except
/// valid(), comparison, copying and destruction, throws `invalid_state`.
///
/// A timeout is any `std::chrono` duration from the call on; 0 only looks, a negative one throws
/// `std::invalid_argument`. A task may wait for its own pool: see thread_pool. For itself it gets
/// `would_deadlock`.
template <class T>
class future {
  using state = detail::future_state<T>;
  using status = detail::future_state_base::status;

public:
  using value_type = T;

  /// A future without a result to come.
  future() = default;

  /// Whether it refers to a result.
  bool valid() const noexcept { return static_cast<bool>(state_); }

  /// Waits until done and returns the value (nothing for void), or throws the error, or `cancelled_error`.
  /// With a timeout: throws `timeout_error` if it is not done by then. The reference is good while any
  /// handle to the result exists (so copy the value from `pool.submit(fn).get()`) and nobody has taken the
  /// value; afterwards get() throws `invalid_state`.
  std::conditional_t<std::is_void_v<T>, void, std::add_lvalue_reference_t<const T>> get(
      detail::time_limit timeout = {}) const {
    state& s = checked();
    await(s, timeout);
    if (!has_value(s)) throw_taken();
    if constexpr (!std::is_void_v<T>) return s.value();
  }

  /// As get(), but moves the value out; for values that cannot be copied. Works once: a second take() and
  /// any get() afterwards throw `invalid_state`. Nobody may be reading the value at the same time.
  T take(detail::time_limit timeout = {}) const {
    state& s = checked();
    await(s, timeout);
    if (!has_value(s) || !s.try_take()) throw_taken();
    if constexpr (!std::is_void_v<T>) return std::move(s.value());
  }

  /// Waits until done, at most as long as the timeout. Returns whether it is done; throws nothing of the
  /// result.
  bool wait(detail::time_limit timeout = {}) const { return checked().wait(timeout.until()); }

  /// Waits until done and returns the error, or null if there is a value. Throws `cancelled_error`, and
  /// `timeout_error` as get() does.
  std::exception_ptr exception(detail::time_limit timeout = {}) const {
    state& s = checked();
    switch (wait_done(s, timeout)) {
      case status::error: return s.error();
      case status::cancelled: throw_cancelled();
      default: return nullptr;
    }
  }

  /// Whether there is a value or an error, or it was cancelled. Does not wait.
  bool done() const { return checked().done(); }

  /// Whether it has been started and is not done; it can no longer be cancelled.
  bool running() const {
    const status s = checked().now();
    return s == status::running || s == status::claimed;
  }

  /// Whether it was cancelled.
  bool cancelled() const { return checked().now() == status::cancelled; }

  /// Cancels it unless it has been started: true if it is cancelled now, also if it was before. Wakes all
  /// who wait for it and runs its callbacks in this thread.
  bool cancel() const {
    const future keep = *this;  // a callback may drop the last other handle
    return keep.checked().cancel();
  }

  /// Has `fn(future)` called exactly once when this is done: at once, in this thread, if it is already;
  /// else in the thread that sets the result or cancels, after those who wait have been woken, and in
  /// the order in which they were added. What it throws is written to standard error, in one line, and
  /// disturbs nobody. What copying `fn` throws reaches the caller.
  ///
  /// Chains may be of any length: of callbacks that complete futures with callbacks, and so on, only 64 are
  /// called inside each other. What a callback there brings about is called when it has returned, or waits
  /// for a future.
  template <detail::callback_for<future> Fn>
  void add_done_callback(Fn&& fn) const {
    using callback = detail::callback<T, std::decay_t<Fn>>;
    state& s = checked();
    if (s.done() && detail::callback_loop::full() == nullptr) {
      std::decay_t<Fn> mine(std::forward<Fn>(fn));
      const detail::callback_loop here;
      detail::run_callback<T>(mine, s);
      return;
    }
    auto node = std::make_unique<callback>(std::forward<Fn>(fn));
    if (s.add(*node))
      static_cast<void>(node.release());
    else
      s.call(node.release());
  }

  /// Identity: whether both refer to the same result.
  friend bool operator==(const future& a, const future& b) noexcept {
    return a.state_.get() == b.state_.get();
  }

private:
  friend detail::future_access;
  explicit future(detail::state_ptr<state> s) noexcept : state_{std::move(s)} {}

  state& checked() const {
    if (!state_) detail::throw_no_state("future");
    return *state_;
  }

  static status wait_done(state& s, const detail::time_limit& timeout) {
    if (!s.wait(timeout.until()))
      throw timeout_error{"fmap: the future was not done within the timeout"};
    return s.now();
  }

  static void await(state& s, const detail::time_limit& timeout) {
    throw_unless_value(s, wait_done(s, timeout));
  }

  static void throw_unless_value(state& s, status done) {
    if (done == status::error) std::rethrow_exception(s.error());
    if (done == status::cancelled) throw_cancelled();
  }

  static bool has_value(const state& s) noexcept { return s.now() == status::value; }

  /// Of a future that is done: throws unless there is a value.
  static void check_value(state& s) {
    const status done = s.now();
    throw_unless_value(s, done);
    if (done != status::value) throw_taken();
  }

  [[noreturn]] static void throw_cancelled() {
    throw cancelled_error{"fmap: the future was cancelled"};
  }
  [[noreturn]] static void throw_taken() {
    throw invalid_state{"fmap: the future's value has already been taken"};
  }

  detail::state_ptr<state> state_;
};

/// For executors: makes futures from shared states, and the other way round.
struct detail::future_access {
  template <class T>
  static future<T> make(state_ptr<future_state<T>> s) noexcept {
    return future<T>{std::move(s)};
  }
  template <class T>
  static const state_ptr<future_state<T>>& state(const future<T>& f) noexcept {
    return f.state_;
  }
  /// The same, which the future gives away.
  template <class T>
  static state_ptr<future_state<T>> state(future<T>&& f) noexcept {
    return std::move(f.state_);
  }

  /// As get() and take() of a future that is done.
  template <class T>
  static decltype(auto) get(future_state<T>& s) {
    future<T>::check_value(s);
    if constexpr (!std::is_void_v<T>) return std::as_const(s.value());
  }
  template <class T>
  static T take(future_state<T>& s) {
    future<T>::check_value(s);
    if (!s.try_take()) future<T>::throw_taken();
    if constexpr (!std::is_void_v<T>) return std::move(s.value());
  }
};

template <class T, class Fn>
void detail::run_callback(Fn& fn, future_state<T>& done) noexcept {
  try {
    detail::invoke(fn, future_access::make<T>(state_ptr<future_state<T>>::share(&done)));
  } catch (...) {
    report_callback_error();
  }
}

template <class T, class Fn>
void detail::callback<T, Fn>::notify(future_state_base& state) noexcept {
  run_callback<T>(fn_, static_cast<future_state<T>&>(state));
}

}  // namespace fmap

/// By identity, as comparison.
template <class T>
struct std::hash<fmap::future<T>> {
  std::size_t operator()(const fmap::future<T>& f) const noexcept {
    return std::hash<const void*>{}(fmap::detail::future_access::state(f).get());
  }
};

#include <fmap/promise.hpp>  // the other end: who has one wants both
