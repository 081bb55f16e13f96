// SPDX-License-Identifier: BSD-3-Clause
// Items that fail and are tried again.
#pragma once

#include <exception>
#include <functional>

#include <fmap/detail/api.hpp>
#include <fmap/detail/duration.hpp>
#include <fmap/errors.hpp>

namespace fmap {

/// Thrown by a function: it may work the next time. Under a retry_policy its item is tried again, whatever `on` says;
/// without one it is an error like any other.
class FMAP_API transient : public error {
  using error::error;
};

/// When an item whose function threw is tried again; for `map_options::retry`. It waits in between with its token, so the
/// map's bound stays exact, but without a worker and without a thread. What makes no sense is refused when the map is
/// made.
///
/// The function gets a copy of the item each time (items that cannot be copied are refused, unless it takes them as
/// `const In&`). A death of a worker process is no failure in this sense: that is `max_attempts`.
///
/// Seed: exponential back-off with jitter, as in tenacity for Python.
struct retry_policy {
  /// Calls of the function for one item, the first one too; at least 1.
  unsigned attempts = 3;

  /// The pause before the second call; before each further one it is `factor` times as long, at most `most`.
  detail::any_duration first = std::chrono::milliseconds{100};
  double factor = 2.0;
  detail::any_duration most = std::chrono::seconds{10};

  /// Each pause is multiplied by a random number from 1 - jitter to 1 + jitter, and is at most `most` then. So what failed
  /// together is not tried again together.
  double jitter = 0.5;

  /// Which errors are worth another try; left out: all. Called by workers, several at once; what it throws counts as no.
  std::function<bool(const std::exception_ptr&)> on{};
};

}  // namespace fmap
