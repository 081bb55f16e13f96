// SPDX-License-Identifier: BSD-3-Clause
// How long a command may run.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

namespace fmap::tool {

/// --timeout: a time, or a percentage of the median time of those that succeeded, of the last thousand at most.
class time_limit {
public:
  using duration = std::chrono::nanoseconds;

  time_limit() = default;
  explicit time_limit(duration fixed) : fixed_{fixed} {}
  static time_limit of_median(unsigned percent) {
    time_limit l;
    l.percent_ = percent;
    return l;
  }

  /// A command has succeeded after that time.
  void note(duration took) {
    if (percent_ == 0) return;
    recent_.push_back(took);
    sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), took), took);
    if (recent_.size() <= most_kept) return;
    sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), recent_.front()));
    recent_.pop_front();
  }

  /// Now; none: for ever.
  std::optional<duration> value() const {
    if (percent_ == 0) return fixed_;
    if (sorted_.size() < least_known) return std::nullopt;
    return sorted_[(sorted_.size() - 1) / 2] * percent_ / 100;
  }

private:
  static constexpr std::size_t least_known = 5;
  static constexpr std::size_t most_kept = 1000;

  std::optional<duration> fixed_;
  unsigned percent_ = 0;
  std::deque<duration> recent_;
  std::vector<duration> sorted_;
};

}  // namespace fmap::tool
