// SPDX-License-Identifier: BSD-3-Clause
// What is written behind options about how commands are started: rates, limits.
#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include <sys/resource.h>

#include "tool/options/values.hpp"

namespace fmap::tool {

namespace {

struct limit_name {
  const char* name;
  int resource;
  bool is_size;
};

constexpr limit_name limit_names[] = {
    {"as", RLIMIT_AS, true},
    {"core", RLIMIT_CORE, true},
    {"cpu", RLIMIT_CPU, false},
    {"data", RLIMIT_DATA, true},
    {"fsize", RLIMIT_FSIZE, true},
    {"memlock", RLIMIT_MEMLOCK, true},
    {"nofile", RLIMIT_NOFILE, false},
    {"nproc", RLIMIT_NPROC, false},
    {"rss", RLIMIT_RSS, true},
    {"rtprio", RLIMIT_RTPRIO, false},
    {"sigpending", RLIMIT_SIGPENDING, false},
    {"stack", RLIMIT_STACK, true},
};

double positive(const std::string& option, const std::string& text, std::string_view digits,
                const char* advice) {
  double n = 0;
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, n, std::chars_format::fixed);
  if (error != std::errc{} || end != last || !(n > 0) || n > 1e12)
    throw usage_error{option + " " + text + ": " + advice};
  return n;
}

rlim_t limit_from(const limit_name& which, const std::string& value) {
  if (value == "unlimited") return RLIM_INFINITY;
  if (which.is_size) return size_from("--rlimit", value);
  if (which.resource != RLIMIT_CPU) return number_from("--rlimit", value, 0, "");
  const auto time = time_from("--rlimit", value);
  return static_cast<rlim_t>(std::chrono::ceil<std::chrono::seconds>(time).count());
}

[[noreturn]] void refuse_limit(const std::string& text) {
  std::string known;
  for (const limit_name& l : limit_names) known.append(" ").append(l.name);
  throw usage_error{"--rlimit " + text + ": write as=2g,cpu=60; known are" + known};
}

}  // namespace

void take_rate(start_pace& pace, const std::string& text) {
  const char* const advice = "write a rate as 10, 10/s, 600/m or 5/h";
  const auto slash = text.find('/');
  const std::string unit = slash == std::string::npos ? "s" : text.substr(slash + 1);
  const double seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (seconds == 0) throw usage_error{"--rate " + text + ": " + advice};
  pace.a_second =
      positive("--rate", text, std::string_view{text}.substr(0, slash), advice) / seconds;
}

double load_from(const std::string& text, std::size_t processors) {
  std::string_view digits = text;
  const bool percent = digits.ends_with('%');
  if (percent) digits.remove_suffix(1);
  const double n = positive("--load", text, digits, "write a load as 4, 2.5 or 80%");
  return percent ? n * static_cast<double>(processors) / 100 : n;
}

int nice_from(const std::string& text) {
  int n = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, n);
  if (error != std::errc{} || end != last || n < -20 || n > 19)
    throw usage_error{"--nice " + text + ": write a number from 0 to 19, or for root from -20"};
  return n;
}

void take_limits(child_surroundings& to, const std::string& text) {
  for (std::size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, comma - at);
    at = comma + 1;
    const auto equals = part.find('=');
    const limit_name* which =
        std::find_if(std::begin(limit_names), std::end(limit_names),
                     [&](const limit_name& l) { return part.substr(0, equals) == l.name; });
    if (which == std::end(limit_names) || equals == std::string::npos) refuse_limit(part);
    const rlim_t value = limit_from(*which, part.substr(equals + 1));
    rlimit ours{};
    ::getrlimit(static_cast<__rlimit_resource>(which->resource), &ours);
    if (value > ours.rlim_max && which->resource != RLIMIT_NOFILE)
      throw usage_error{"--rlimit " + part + ": we may not have so much ourselves"};
    // SIGXCPU comes a second before the end.
    const rlim_t hard = which->resource == RLIMIT_CPU && value < ours.rlim_max ? value + 1 : value;
    to.limits.push_back({which->resource, {value, hard}});
  }
}

bool read_first_line(const std::string& file, std::string& line) {
  std::ifstream from{file};
  if (!from.is_open()) return false;
  line.clear();
  std::getline(from, line);
  const auto last = line.find_last_not_of(" \t\r");
  line.erase(last == std::string::npos ? 0 : last + 1);
  line.erase(0, std::min(line.find_first_not_of(" \t"), line.size()));
  return true;
}

}  // namespace fmap::tool
