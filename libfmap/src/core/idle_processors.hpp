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

#include <fmap/detail/duration.hpp>

namespace fmap::detail {

/// Idle time of these processors in clock ticks, from the text of /proc/stat. None: there is no such text.
std::optional<std::uint64_t> idle_ticks(std::istream& proc_stat,
                                        const std::function<bool(std::size_t)>& usable);

/// Means over a window that moves: the kernel counts in hundredths of a second.
class idle_processors {
public:
  using clock = std::chrono::steady_clock;

  explicit idle_processors(clock::duration window) : window_{window} {}

  /// So many processors have been idle since about a window ago, on average; none while that is not known. Looks that
  /// are far apart begin a new window.
  double look(clock::time_point now);

private:
  struct sample {
    clock::time_point at;
    std::uint64_t ticks = 0;
  };

  const clock::duration window_;
  std::deque<sample> samples_;
};

}  // namespace fmap::detail
