// SPDX-License-Identifier: BSD-3-Clause
// Numbers, sizes, times.
#include "tool/options/values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "tool/input/columns.hpp"

namespace fmap::tool {

std::uint64_t number_from(const std::string& option, const std::string& text, std::uint64_t least,
                          const char* advice) {
  std::uint64_t n = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, n);
  if (error != std::errc{} || end != last)
    throw usage_error{option + " " + text + ": that is no whole number"};
  if (n < least) throw usage_error{option + " " + text + ": " + advice};
  return n;
}

std::string bytes_from(const std::string& option, const std::string& text) {
  try {
    std::string bytes = unescaped(text);
    if (bytes.empty()) throw usage_error{option + ": the text must not be empty"};
    return bytes;
  } catch (const std::invalid_argument& e) {
    throw usage_error{option + " " + text + ": " + e.what()};
  }
}

time_limit time_limit_from(const std::string& text) {
  if (text.ends_with('%')) {
    const auto percent = number_from("--timeout", text.substr(0, text.size() - 1), 1,
                                     "nothing could run; write 300% for three times the median");
    if (percent > 1'000'000) throw usage_error{"--timeout " + text + ": that is too much"};
    return time_limit::of_median(static_cast<unsigned>(percent));
  }
  const auto fixed = time_from("--timeout", text);
  if (fixed.count() == 0)
    throw usage_error{"--timeout 0: nothing could run; leave it out for no time-out"};
  return time_limit{fixed};
}

void take_delay(retry_rule& rule, const std::string& text) {
  const auto first = text.find(',');
  rule.delay = time_from("--retry-delay", text.substr(0, first));
  rule.longest = std::max<std::chrono::nanoseconds>(rule.longest, rule.delay);
  if (first == std::string::npos) return;
  const auto second = text.find(',', first + 1);
  rule.longest = time_from("--retry-delay", text.substr(first + 1, second - first - 1));
  if (second == std::string::npos) return;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + second + 1, last, rule.factor);
  if (error != std::errc{} || end != last || !(rule.factor >= 1))
    throw usage_error{"--retry-delay " + text + ": the factor is a number of at least 1"};
}

exit_rule exit_rule_from(const std::string& text) {
  if (text == "count") return exit_rule::count;
  if (text == "first") return exit_rule::first;
  if (text == "max") return exit_rule::max;
  throw usage_error{"--exit " + text + ": write count, first or max"};
}

std::size_t jobs_from(const std::string& text, std::size_t processors) {
  const auto fail = [&](const char* why) -> usage_error {
    return usage_error{"-j " + text + ": " + why};
  };
  std::string digits = text;
  const char sign = text.starts_with('+') || text.starts_with('-') ? text.front() : '\0';
  if (sign != '\0') digits.erase(0, 1);
  const bool percent = digits.ends_with('%');
  if (percent) digits.pop_back();
  std::uint64_t n = 0;
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, n);
  if (error != std::errc{} || end != last || digits.empty() || (percent && sign != '\0'))
    throw fail("write a number, 50%, +2 or -1 (of the processors)");
  if (n > 1'000'000) throw fail("that is more than a million");
  if (percent) n = (n * processors + 99) / 100;
  if (sign == '+') n = processors + n;
  if (sign == '-') n = n < processors ? processors - n : 1;
  if (n == 0)
    throw fail("at least one must run at a time; for all processors write -j 100% or leave it out");
  return static_cast<std::size_t>(n);
}

std::uint64_t size_from(const std::string& option, const std::string& text) {
  std::uint64_t n = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, n);
  const std::string_view unit{end, static_cast<std::size_t>(last - end)};
  const std::string_view units = "kmgt";
  const auto which = unit.size() == 1 ? units.find(static_cast<char>(unit[0] | 0x20)) : units.npos;
  if (error != std::errc{} || (!unit.empty() && which == units.npos))
    throw usage_error{option + " " + text + ": write a size as 65536, 64k, 10m, 1g"};
  const unsigned shift = unit.empty() ? 0 : 10 * (static_cast<unsigned>(which) + 1);
  if (n > (UINT64_MAX >> 1 >> shift))
    throw usage_error{option + " " + text + ": that is too large"};
  return n << shift;
}

std::chrono::nanoseconds time_from(const std::string& option, const std::string& text) {
  double n = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, n, std::chars_format::fixed);
  const std::string_view unit{end, static_cast<std::size_t>(last - end)};
  double seconds = 0;
  if (unit.empty() || unit == "s")
    seconds = n;
  else if (unit == "ms")
    seconds = n / 1000;
  else if (unit == "m")
    seconds = n * 60;
  else if (unit == "h")
    seconds = n * 3600;
  else if (unit == "d")
    seconds = n * 86400;
  else
    seconds = -1;
  if (error != std::errc{} || !(seconds >= 0))
    throw usage_error{option + " " + text + ": write a time as 2, 500ms, 2s, 5m, 1h"};
  seconds = std::min(seconds, 3.0e9);  // 95 years
  return std::chrono::nanoseconds{std::llround(seconds * 1e9)};
}

}  // namespace fmap::tool
