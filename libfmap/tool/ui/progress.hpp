// SPDX-License-Identifier: BSD-3-Clause
// The line that says how far a run is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

namespace fmap::tool {

/// What there is to say.
struct progress {
  std::uint64_t done = 0;  // failed ones, too
  std::uint64_t failed = 0;
  std::uint64_t skipped = 0;  // of the total: an earlier run has done them
  std::size_t running = 0;
  std::optional<std::uint64_t> total;
  std::chrono::milliseconds elapsed{0};
  double rate = 0;     // items a second, of late
  std::string oldest;  // of those that run; empty if none does
  std::chrono::seconds age{0};
  std::time_t now = 0;
};

struct look {
  std::size_t width = 80;
  bool utf8 = false;
  bool colour = false;
};

/// For a terminal: one line that is redrawn.
std::string bar_line(const progress& p, const look& how);

/// For a log: a line every now and then.
std::string plain_line(const progress& p);

/// Items a second, averaged over the last seconds. Pure: it is told the time.
class rate_meter {
public:
  double note(std::uint64_t done, std::chrono::milliseconds elapsed);

private:
  std::uint64_t done_ = 0;
  std::chrono::milliseconds at_{0};
  double rate_ = 0;
};

}  // namespace fmap::tool
