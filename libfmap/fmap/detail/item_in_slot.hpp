// SPDX-License-Identifier: BSD-3-Clause
// Items and results in the slots of a chunk.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include <fmap/detail/chunk.hpp>

namespace fmap::detail {

/// From here on a crash is this item's doing.
inline void mark_running(std::atomic<slot_state>& state) {
  state.store(slot_state::running, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// A small item is moved to the stack while its result takes its place, so that slots stay small. A larger one stays in
/// its slot, and its result is made behind it: items may be larger than a thread's stack.
inline constexpr std::size_t largest_moved = 1024;
template <class In>
inline constexpr bool stays_in_slot = sizeof(In) > largest_moved;

template <class In, class Out>
constexpr slot_layout layout_for() {
  constexpr auto up = [](std::size_t n, std::size_t to) { return (n + to - 1) / to * to; };
  constexpr std::size_t align = std::max(alignof(In), alignof(Out));
  constexpr std::size_t value = stays_in_slot<In> ? up(sizeof(In), alignof(Out)) : 0;
  return {up(std::max(sizeof(In), value + sizeof(Out)), align), align, value};
}

/// Destroys something that may have been moved from, whatever happens.
template <class T>
struct destroyed_at_last {
  T& what;
  ~destroyed_at_last() { std::destroy_at(&what); }
};

/// An item that must survive its call: a small one on the stack, since its result is made in its slot.
template <class In>
class kept_aside {
public:
  explicit kept_aside(In& slot) : slot_{&slot} {
    if constexpr (!stays_in_slot<In>) {
      aside_.emplace(std::move(slot));
      std::destroy_at(slot_);
    }
  }
  kept_aside(const kept_aside&) = delete;
  kept_aside& operator=(const kept_aside&) = delete;

  In& item() {
    if constexpr (stays_in_slot<In>)
      return *slot_;
    else
      return *aside_;
  }

  /// It is needed no more.
  void destroy() {
    if constexpr (stays_in_slot<In>)
      std::destroy_at(slot_);
    else
      aside_.reset();
  }

  /// False: it could not be moved back, and is gone.
  bool put_back() noexcept {
    if constexpr (!stays_in_slot<In>) {
      try {
        std::construct_at(slot_, std::move(*aside_));
      } catch (...) {
        return false;
      }
    }
    return true;
  }

private:
  In* slot_;
  std::optional<In> aside_;
};

}  // namespace fmap::detail
