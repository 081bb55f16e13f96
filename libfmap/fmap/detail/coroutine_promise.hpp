// SPDX-License-Identifier: BSD-3-Clause
// What a coroutine that returns fmap::future has in its frame.
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <fmap/detail/future_state.hpp>
#include <fmap/errors.hpp>
#include <fmap/future.hpp>

namespace fmap::detail {

/// The result of a coroutine. It is stored when the coroutine returns, and told when the frame is gone: nobody sees
/// the result while something of the call is still there.
template <class T>
class coroutine_state final : public future_state<T> {
  using base = future_state<T>;

public:
  coroutine_state() { this->try_start(); }  // it begins at once

  template <class Value>
  void keep(Value&& value) {
    std::construct_at(static_cast<typename base::stored*>(this->place()),
                      std::forward<Value>(value));
  }
  void keep() { std::construct_at(static_cast<typename base::stored*>(this->place())); }
  void drop() noexcept { std::destroy_at(std::addressof(this->value())); }
  void tell() noexcept { this->finish(state_status::value); }
};

template <class T>
class coroutine_promise_base {
  static_assert(std::is_void_v<T> || (std::is_object_v<T> && !std::is_const_v<T>),
                "fmap: a coroutine returns fmap::future of a value or of void; for a reference use "
                "a pointer or "
                "std::reference_wrapper");

public:
  coroutine_promise_base() = default;
  coroutine_promise_base(const coroutine_promise_base&) = delete;
  coroutine_promise_base& operator=(const coroutine_promise_base&) = delete;

  /// Of a coroutine that is destroyed before it has finished: its future gets `broken_promise`.
  ~coroutine_promise_base() {
    if (!state_ || state_->unobserved()) return;
    state_->fail(std::make_exception_ptr(
        broken_promise{"fmap: the coroutine was destroyed before it had finished"}));
  }

  future<T> get_return_object() { return future_access::make<T>(state_); }
  std::suspend_never initial_suspend() const noexcept { return {}; }

  /// Also after the result was stored: a local object's destructor threw.
  void unhandled_exception() noexcept {
    if (std::exchange(kept_, false)) state_->drop();
    error_ = std::current_exception();
  }

  /// Destroys the frame, then completes the future.
  struct finish {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) const noexcept {
      coroutine_promise_base& p = coroutine.promise();
      const state_ptr<coroutine_state<T>> state = std::move(p.state_);
      std::exception_ptr error = std::move(p.error_);
      coroutine.destroy();
      if (error)
        state->fail(std::move(error));
      else
        state->tell();
    }
    void await_resume() const noexcept {}
  };
  finish final_suspend() const noexcept { return {}; }

protected:
  template <class... Value>
  void keep(Value&&... value) {
    state_->keep(std::forward<Value>(value)...);
    kept_ = true;
  }

private:
  state_ptr<coroutine_state<T>> state_ = make_state<coroutine_state<T>>();
  std::exception_ptr error_;
  bool kept_ = false;
};

template <class T>
class coroutine_promise final : public coroutine_promise_base<T> {
public:
  template <class Value = T>
    requires std::constructible_from<T, Value>
  void return_value(Value&& value) { this->keep(std::forward<Value>(value)); }
};

template <>
class coroutine_promise<void> final : public coroutine_promise_base<void> {
public:
  void return_void() { keep(); }
};

}  // namespace fmap::detail
