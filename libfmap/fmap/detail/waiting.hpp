// SPDX-License-Identifier: BSD-3-Clause
// How a thread waits for futures: timeouts, who may ring, and who may help meanwhile.
#pragma once

#include <optional>
#include <stdexcept>
#include <type_traits>

#include <fmap/detail/api.hpp>
#include <fmap/detail/duration.hpp>

namespace fmap::detail {

/// Tells pools apart; never dereferenced.
using pool_key = const void*;

/// When a wait ends at the latest; empty: never.
using deadline = std::optional<std::chrono::steady_clock::time_point>;

/// The point `time` from now; none, which is never, from for_ever on.
inline deadline deadline_after(std::chrono::nanoseconds time) {
  if (time >= for_ever) return {};
  return std::chrono::steady_clock::now() + time;
}

/// A timeout as a caller gives it: any duration, counted from here; none means forever. Throws
/// `std::invalid_argument` if it is negative.
class time_limit {
public:
  time_limit() = default;

  template <class Rep, class Period>
  time_limit(
      const std::chrono::duration<Rep, Period>& timeout) {  // implicit: 100ms is a time_limit
    const std::chrono::nanoseconds time = saturated(timeout);
    if (time.count() < 0) throw std::invalid_argument{"fmap: timeout is negative or not a number"};
    if (time.count() == 0)
      until_ = only_look;
    else
      until_ = deadline_after(time);
  }

  /// A number without a unit.
  template <class Number>
    requires std::is_arithmetic_v<Number> time_limit(
        Number) {  // NOLINT(google-explicit-constructor)
      static_assert(!std::is_arithmetic_v<Number>,
                    "fmap: a timeout has a unit: write 2s or 100ms, after using namespace "
                    "std::chrono_literals");
    }

  const deadline& until() const noexcept { return until_; }

  /// The deadline that stands for a timeout of 0.
  static constexpr auto only_look = std::chrono::steady_clock::time_point::min();

private:
  deadline until_;
};

/// Something that can be rung, from any thread.
class wakeup {
public:
  virtual void ring() noexcept = 0;

protected:
  ~wakeup() = default;
};

class parking;

/// What a worker thread does instead of blocking when a task of its own waits for futures.
class helper {
public:
  /// Called by get(), wait(), exception(), fmap::wait() and as_completed() in their thread. To do other
  /// work until `place` has been rung (returns true) or the deadline has passed (false); it sleeps on
  /// something of its own that `place.forward_to()` rings. What it throws (`would_deadlock`) ends the
  /// wait and reaches the caller.
  virtual bool help_until(parking& place, const deadline& until) = 0;

  /// Whether this is a worker of that pool.
  virtual bool works_for(pool_key) const = 0;

protected:
  ~helper() = default;
};

/// The helper of this thread; null (the default): block. To be set and reset by its worker.
FMAP_API extern constinit thread_local helper* current_helper;

}  // namespace fmap::detail
