// SPDX-License-Identifier: BSD-3-Clause
// How fast commands may be begun.
#pragma once

#include <algorithm>
#include <chrono>

namespace fmap::tool {

/// --delay and --rate. Pure: it is told the time.
struct start_pace {
  using clock = std::chrono::steady_clock;

  std::chrono::nanoseconds apart{0};
  double a_second = 0;  // 0: as many as there are

  bool asked_for() const { return apart.count() > 0 || a_second > 0; }

  /// From when on another may be begun.
  clock::time_point next() const { return std::max(after_last_, token_); }

  /// One is begun now.
  void begun(clock::time_point now) {
    after_last_ = now + apart;
    if (a_second <= 0) return;
    // A bucket of as many tokens as come in a fiftieth of a second, one at least: what has been late is made good.
    const auto each = std::chrono::duration_cast<clock::duration>(
        std::chrono::duration<double>{std::min(1 / a_second, 1e9)});
    const auto saved = std::max<clock::duration>(burst - each, clock::duration{0});
    token_ = std::max(token_, now - saved) + each;
  }

private:
  static constexpr std::chrono::milliseconds burst{20};

  clock::time_point after_last_;
  clock::time_point token_;
};

}  // namespace fmap::tool
