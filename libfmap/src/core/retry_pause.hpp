// SPDX-License-Identifier: BSD-3-Clause
// How long an item waits before it is tried again.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include <fmap/retry.hpp>

namespace fmap::detail {

/// After so many failures, at least 1; `share` is a random number from 0 to 1.
inline std::chrono::nanoseconds pause_after(const retry_policy& p, std::uint32_t failures,
                                            double share) {
  if (p.first.count() == 0) return std::chrono::nanoseconds{0};
  const auto most = static_cast<double>(p.most.count());
  const double whole = std::min(most, static_cast<double>(p.first.count())
                                          * std::pow(p.factor, static_cast<double>(failures - 1)));
  const double pause = std::min(most, whole * (1 - p.jitter + 2 * p.jitter * share));
  return std::chrono::nanoseconds{static_cast<std::int64_t>(std::min(pause, 9.2e18))};
}

}  // namespace fmap::detail
