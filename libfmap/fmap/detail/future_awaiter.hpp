// SPDX-License-Identifier: BSD-3-Clause
// A coroutine that waits for a future: a waiter in the coroutine's frame.
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

#include <fmap/detail/future_state.hpp>
#include <fmap/future.hpp>

namespace fmap::detail {

/// The future that is awaited, and what becomes of it. `Owns`: it was given away, `co_await std::move(f)`. Otherwise
/// it is only referred to while the coroutine runs: that costs nothing if it is done.
template <class T, bool Owns>
class awaited_future : public waiter {
  using state = future_state<T>;

public:
  explicit awaited_future(const future<T>& f) requires(!Owns)
      : waiter{kind::coroutine}, state_{future_access::state(f).get()} {
    check();
  }
  explicit awaited_future(future<T>&& f) requires Owns
      : waiter{kind::coroutine},
        state_{future_access::state(std::move(f)).detach()} {
    check();
  }

  /// Also of a coroutine that is destroyed while it waits.
  ~awaited_future() override {
    if (waits_ && !state_->remove(*this)) callback_loop::forget(*this);
    if (holds_) state_->release();
  }

  /// The value, if there is one. A value that was given away is moved if nobody else has a handle to it, or if it
  /// cannot be copied.
  decltype(auto) await_resume() {
    if constexpr (!Owns)
      return future_access::get(*state_);
    else
      return given_away();
  }

protected:
  bool done() const noexcept { return state_->done(); }

  /// Has notify() called. False: the future is done. True: this may be gone by now.
  bool wait(std::coroutine_handle<> coroutine) noexcept {
    coroutine_ = coroutine;
    if (!std::exchange(holds_, true)) state_->retain();
    waits_ = true;
    if (state_->add(*this)) return true;
    waits_ = false;
    return false;
  }

  /// To be called by notify(): the coroutine no longer waits.
  std::coroutine_handle<> woken() noexcept {
    waits_ = false;
    return coroutine_;
  }

  std::coroutine_handle<> coroutine() const noexcept { return coroutine_; }

  /// For a coroutine that goes on inside notify(), while whoever completed the future still holds a reference.
  void resume_here() noexcept {
    others_ = 1;
    woken().resume();
  }

private:
  void check() const {
    if (state_ == nullptr) throw_no_state("future");
  }

  T given_away() {
    if constexpr (!std::copy_constructible<T> && !std::is_void_v<T>) {
      return future_access::take(*state_);
    } else if constexpr (std::is_void_v<T>) {
      future_access::get(*state_);
    } else {
      const T& value = future_access::get(*state_);
      if (state_->held_by_at_most(1 + others_)) return std::move(state_->value());
      return value;
    }
  }

  state* const state_;
  std::coroutine_handle<> coroutine_;
  std::uint32_t others_ = 0;  // references that are not handles
  bool waits_ = false;        // is in the list of the state
  bool holds_ = Owns;         // a reference
};

/// Goes on in the thread that completes the future.
template <class T, bool Owns>
class future_awaiter final : public awaited_future<T, Owns> {
public:
  using awaited_future<T, Owns>::awaited_future;

  bool await_ready() const noexcept { return this->done(); }
  bool await_suspend(std::coroutine_handle<> coroutine) noexcept { return this->wait(coroutine); }
  void notify(future_state_base&) noexcept override { this->resume_here(); }
};

}  // namespace fmap::detail
