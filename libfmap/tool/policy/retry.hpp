// SPDX-License-Identifier: BSD-3-Clause
// Whether a failed command is tried again, and when.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tool/launch/job.hpp"

namespace fmap::tool {

/// Which failures are worth another try: statuses and their ranges, `signal`, `timeout`, `lost`.
struct failures {
  std::vector<std::pair<int, int>> statuses;
  bool signal = false;
  bool timeout = false;
  bool lost = false;  // a worker died; with commands there is no such thing

  bool has(const ending& e) const;
};

struct retry_rule {
  unsigned tries = 1;
  std::chrono::nanoseconds delay{0};
  std::chrono::nanoseconds longest = std::chrono::seconds{60};
  double factor = 2;
  std::optional<failures> on;  // none: all

  /// After the `attempts`-th try has ended so.
  bool tries_again(const ending& e, unsigned attempts) const;

  /// Before the try that follows the `attempts`-th. `share`: random, from 0 to 1.
  std::chrono::nanoseconds pause(unsigned attempts, double share) const;
};

/// "1,3-5,signal,timeout". Throws std::invalid_argument.
failures failures_from(const std::string& text);

}  // namespace fmap::tool
