// SPDX-License-Identifier: BSD-3-Clause
// An owning pointer to an object that counts its references.
#pragma once

#include <concepts>
#include <utility>

namespace fmap::detail {

/// An owning pointer to a shared state.
template <class State>
class state_ptr {
public:
  state_ptr() = default;

  /// Takes over the reference that a new state is born with.
  static state_ptr adopt(State* s) noexcept {
    state_ptr result;
    result.state_ = s;
    return result;
  }

  /// Another reference to a state that somebody holds.
  static state_ptr share(State* s) noexcept {
    if (s != nullptr) s->retain();
    return adopt(s);
  }

  state_ptr(const state_ptr& other) noexcept : state_ptr{share(other.state_)} {}
  state_ptr(state_ptr&& other) noexcept : state_{std::exchange(other.state_, nullptr)} {}

  /// From a pointer to a derived state.
  template <std::derived_from<State> Derived>
  state_ptr(state_ptr<Derived> other) noexcept : state_{other.detach()} {}

  state_ptr& operator=(state_ptr other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~state_ptr() {
    if (state_ != nullptr) state_->release();
  }

  State* get() const noexcept { return state_; }
  State& operator*() const noexcept { return *state_; }
  State* operator->() const noexcept { return state_; }
  explicit operator bool() const noexcept { return state_ != nullptr; }

  /// Gives the reference away, as a plain pointer.
  State* detach() noexcept { return std::exchange(state_, nullptr); }

private:
  State* state_ = nullptr;
};

template <class State, class... Args>
state_ptr<State> make_state(Args&&... args) {
  return state_ptr<State>::adopt(new State(std::forward<Args>(args)...));
}

}  // namespace fmap::detail
