// SPDX-License-Identifier: BSD-3-Clause
// How many of the processors that this process may use have nothing to do.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <istream>
#include <optional>
#include <vector>

#include <fmap/detail/duration.hpp>

#include "src/core/processors.hpp"

namespace fmap::detail {

/// Idle time of these processors in clock ticks, from the text of /proc/stat. None: there is no such text.
std::optional<std::uint64_t> idle_ticks(std::istream& proc_stat,
                                        const std::function<bool(std::size_t)>& usable);

/// Since some moment in the past.
struct processor_times {
  std::chrono::steady_clock::time_point at;
  std::chrono::nanoseconds idle{};  ///< of the processors that this process may use, summed up
  std::vector<std::chrono::nanoseconds> spent;  ///< in each of its control groups that have a quota
};

/// So many processors were idle between the two, on average, and this process could have used them.
double idle_between(const processor_times& before, const processor_times& now,
                    const std::vector<double>& quotas);

/// Means over a window that moves: the kernel counts in hundredths of a second.
class idle_processors {
public:
  using clock = std::chrono::steady_clock;

  explicit idle_processors(clock::duration window) : window_{window} {}

  /// So many processors have been idle since about a window ago, on average; none while that is not known. Looks that
  /// are far apart begin a new window.
  double look(clock::time_point now);

private:
  std::optional<processor_times> times(clock::time_point now);

  const clock::duration window_;
  std::optional<std::vector<processor_quota>> quotas_;  // read at the first look
  std::deque<processor_times> samples_;
};

}  // namespace fmap::detail
