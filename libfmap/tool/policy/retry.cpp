// SPDX-License-Identifier: BSD-3-Clause
// Tries.
#include "tool/policy/retry.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string_view>

namespace fmap::tool {

bool failures::has(const ending& e) const {
  if (e.timed_out) return timeout;
  if (e.how == ending::kind::signalled) return signal;
  if (e.how == ending::kind::lost) return lost;
  return e.how == ending::kind::exited
         && std::any_of(statuses.begin(), statuses.end(), [&](const auto& range) {
              return e.code >= range.first && e.code <= range.second;
            });
}

bool retry_rule::tries_again(const ending& e, unsigned attempts) const {
  if (!failed(e) || attempts >= tries) return false;
  if (e.how != ending::kind::exited && e.how != ending::kind::signalled) return false;
  return !on || on->has(e);
}

std::chrono::nanoseconds retry_rule::pause(unsigned attempts, double share) const {
  const double whole = std::min(static_cast<double>(delay.count())
                                    * std::pow(factor, static_cast<double>(attempts) - 1),
                                static_cast<double>(longest.count()));
  return std::chrono::nanoseconds{static_cast<std::int64_t>(whole * (0.5 + share / 2))};
}

failures failures_from(const std::string& text) {
  failures all;
  std::string_view left = text;
  for (;;) {
    const auto comma = left.find(',');
    const std::string_view word = left.substr(0, comma);
    if (word == "signal") {
      all.signal = true;
    } else if (word == "timeout") {
      all.timeout = true;
    } else if (word == "lost") {
      all.lost = true;
    } else {
      int first = 0, last = 0;
      const char* end = word.data() + word.size();
      auto read = std::from_chars(word.data(), end, first);
      last = first;
      if (read.ec == std::errc{} && read.ptr != end && *read.ptr == '-')
        read = std::from_chars(read.ptr + 1, end, last);
      if (read.ec != std::errc{} || read.ptr != end || first < 1 || last > 255 || first > last)
        throw std::invalid_argument{
            "write statuses from 1 to 255, ranges as 3-5, signal, timeout, lost, with commas "
            "between them"};
      all.statuses.emplace_back(first, last);
    }
    if (comma == std::string_view::npos) return all;
    left.remove_prefix(comma + 1);
  }
}

}  // namespace fmap::tool
