// SPDX-License-Identifier: BSD-3-Clause
// How many items a command is given with -n auto.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace fmap::tool {

/// Doubled while a command lasts less than twenty times what one for a single item does, and while that makes an item
/// cheaper; halved once when it did not. Pure: it is told how long commands took.
class batch_size {
public:
  using duration = std::chrono::nanoseconds;

  /// `most`: a fair share of what may be in flight.
  explicit batch_size(std::size_t most) : most_{std::max<std::size_t>(most, 1)} {}

  std::size_t now() const { return size_; }

  /// A command for so many items has succeeded after that time.
  void note(std::size_t items, duration took) {
    if (settled_ || items != size_)
      return;  // it was begun before the last doubling, or the input ended
    const duration each = took / static_cast<long>(items);
    best_ = samples_ == 0 ? each : std::min(best_, each);
    ++samples_;
    if (size_ == 1) {
      worth_ = std::clamp<duration>(took * 20, least_worth, most_worth);
      before_ = best_ * 2;
    }
    if (best_ * 4 < before_ * 3) {
      grow(took);  // it clearly pays
    } else if (samples_ == enough) {
      if (best_ * 50 < before_ * 49) {
        grow(took);
      } else {
        size_ /= 2;
        settled_ = true;
      }
    }
  }

private:
  void grow(duration took) {
    settled_ = took >= worth_ || size_ == most_;
    if (settled_) return;
    size_ = std::min(size_ * 2, most_);
    before_ = best_;
    samples_ = 0;
  }

  static constexpr std::chrono::milliseconds least_worth{100};
  static constexpr std::chrono::seconds most_worth{2};
  static constexpr unsigned enough = 3;  // other programs make some commands slow

  std::size_t most_;
  std::size_t size_ = 1;
  duration worth_{0};
  duration best_{0};    // for each item, at this size
  duration before_{0};  // at half of it
  unsigned samples_ = 0;
  bool settled_ = false;
};

}  // namespace fmap::tool
