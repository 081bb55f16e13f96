// SPDX-License-Identifier: BSD-3-Clause
// A function that keeps something per worker.
#pragma once

#include <type_traits>
#include <utility>

#include <fmap/detail/api.hpp>

namespace fmap {

/// The result of with_state().
template <class Make, class Fn>
struct stateful {
  using state = std::invoke_result_t<const Make&>;
  Make make;
  Fn fn;
};

/// A function for a map whose workers each keep a state of their own: `make()` is called once per worker
/// and map, in the worker's thread before its first item, and then `fn(state, item)` for each item. No
/// two threads use a state at once. If `make` throws, that item's outcome is the exception, and the
/// worker's next item tries again. States are destroyed with the map; a worker that comes in the place of
/// one that has left goes on with its state.
template <class Make, class Fn>
stateful<std::decay_t<Make>, std::decay_t<Fn>> with_state(Make&& make, Fn&& fn) {
  return {std::forward<Make>(make), std::forward<Fn>(fn)};
}

}  // namespace fmap
