// SPDX-License-Identifier: BSD-3-Clause
// For code that sets the result of a future itself.
#pragma once

#include <concepts>
#include <exception>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <fmap/detail/future_state.hpp>
#include <fmap/errors.hpp>
#include <fmap/future.hpp>

namespace fmap {

/// Sets the result of its futures, from any thread: for callback-style code. Move-only. One thread at a
/// time may move or destroy it; the setters may race with each other: one wins, the others throw
/// `invalid_state`. If it is destroyed or assigned to without a result, its futures get `broken_promise`.
template <class T>
class promise {
  using state = detail::future_state<T>;

public:
  promise() : state_{detail::make_state<concrete>()} {}
  promise(promise&&) noexcept = default;
  promise& operator=(promise&& other) noexcept {
    if (this != &other) {
      abandon();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~promise() { abandon(); }

  /// A handle to the result. May be called repeatedly; all are equal.
  future<T> get_future() const { return detail::future_access::make<T>(checked()); }

  /// Declares that work on the result begins, after which it cannot be cancelled. False: it was cancelled,
  /// do not begin. Throws `invalid_state` if it was declared before or there is a result. Optional.
  bool set_running() { return checked()->start(); }

  /// Sets the value; for `promise<void>` without an argument. False, and no effect, if the future was
  /// cancelled. Throws `invalid_state` if there is a result, and what constructing the value throws: then
  /// nothing has changed. Wakes all who wait and runs the callbacks in this thread.
  template <class U = T>
    requires(!std::is_void_v<T> && std::constructible_from<typename state::stored, U>)
  bool set_value(U&& value) {
    return set([&](state& s) { s.emplace(std::forward<U>(value)); });
  }
  bool set_value() requires std::is_void_v<T> {
    return set([](state& s) { s.emplace(); });
  }

  /// Sets the error, which get() throws; otherwise as set_value(). Null throws `std::invalid_argument`.
  bool set_exception(std::exception_ptr error) {
    if (!error) throw std::invalid_argument{"fmap: set_exception() was given a null exception_ptr"};
    return set([&](state& s) { s.fail(std::move(error)); });
  }
  template <class E>
    requires std::derived_from<std::remove_cvref_t<E>, std::exception>
  bool set_exception(E&& error) {
    return set_exception(std::make_exception_ptr(std::forward<E>(error)));
  }

private:
  struct concrete final : state {};

  /// With a reference of its own: who waits may destroy the promise as soon as the result is there.
  detail::state_ptr<state> checked() const {
    if (!state_) detail::throw_no_state("promise");
    return state_;
  }

  template <class Complete>
  bool set(Complete complete) {
    const detail::state_ptr<state> s = checked();
    auto before = state::status::pending;
    if (!s->claim(before)) return false;
    try {
      complete(*s);
    } catch (...) {
      s->unclaim(before);
      throw;
    }
    return true;
  }

  void abandon() noexcept {
    if (!state_ || state_->done() || state_->unobserved()) return;
    try {
      set_exception(broken_promise{"fmap: the promise was destroyed without a value or an error"});
    } catch (const invalid_state&) {
      // a setter in another thread was faster
    }
  }

  detail::state_ptr<state> state_;
};

}  // namespace fmap
