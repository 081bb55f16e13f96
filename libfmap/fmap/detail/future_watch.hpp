// SPDX-License-Identifier: BSD-3-Clause
// One thread waiting for several futures.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <fmap/detail/api.hpp>
#include <fmap/detail/future_state.hpp>

namespace fmap::detail {

/// The places of those that are there a second time, in ascending order.
std::vector<std::size_t> repeats_in(const std::vector<future_state_base*>&);

/// Watches several distinct states, which its owner keeps alive, for one thread. Notes the order in which
/// they complete; those that are done when the watch is made come first.
class FMAP_API future_watch {
public:
  explicit future_watch(const std::vector<future_state_base*>&);

  /// Leaves nothing behind in the states.
  ~future_watch();

  future_watch(const future_watch&) = delete;
  future_watch& operator=(const future_watch&) = delete;

  /// Has the states report from now on; otherwise the first wait that does not merely look does it.
  void start() noexcept;

  /// Waits until `wanted` are done, or one of them failed if that is to end the wait, or the deadline.
  /// Returns whether that came about.
  bool wait_for(std::size_t wanted, bool or_error, const deadline& until);

  /// The index of the next in the order of completion; of those wait_for() has seen there must be one
  /// left. Its state need no longer be kept alive.
  std::size_t pop() noexcept;

  std::size_t size() const noexcept { return size_; }

private:
  struct node;
  class notes;

  const std::size_t size_;
  const std::unique_ptr<notes> notes_;
};

}  // namespace fmap::detail
