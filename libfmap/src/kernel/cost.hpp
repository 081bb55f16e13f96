// SPDX-License-Identifier: BSD-3-Clause
// What an item of a run costs: expected at first, then measured.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

/// The mean of what recent items took; what was expected before. In ns.
class cost_estimate {
public:
  using duration = std::chrono::nanoseconds;

  /// What an item will probably cost, until one is measured; 0: unknown.
  void expect(duration cost) {
    expected_ = static_cast<double>(cost.count());
    each_ = items_ > 0 ? each_ : expected_;
  }

  void learn(std::uint32_t count, duration took) {
    const auto ns = static_cast<double>(took.count());
    // One item alone takes longer than among others: what was expected still counts.
    if (!measured() && expected_ > 0 && expected_ * count < ns) {
      ns_ = expected_ * tuning::expectation_weight;
      items_ = tuning::expectation_weight;
    }
    ns_ += ns;
    items_ += count;
    if (items_ > tuning::cost_memory) {
      ns_ *= tuning::cost_memory / items_;
      items_ = tuning::cost_memory;
      each_ = ns_ * (1 / tuning::cost_memory);  // the same, and no second division
    } else {
      each_ = ns_ / items_;
    }
    each_ = std::max(each_, tuning::lowest_cost);
  }

  /// Nothing is known any more.
  void distrust() { *this = {}; }

  bool measured() const { return items_ > 0; }
  double each() const { return each_; }  ///< measured or else expected; 0 while unknown

  duration rounded() const { return duration{static_cast<std::int64_t>(std::ceil(each_))}; }

private:
  double each_ = 0;
  double ns_ = 0, items_ = 0;  // recent time and items, decaying
  double expected_ = 0;
};

}  // namespace fmap::kernel
