// SPDX-License-Identifier: BSD-3-Clause
// Lines that say how far a map is.
#include "src/progress/line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace fmap::detail {

namespace {

using seconds = std::chrono::duration<double>;

template <class... Args>
std::string printed(const char* format, Args... args) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, args...);
  return text.data();
}

/// Three digits at most and a unit; rounded down, so that what is not complete does not look so.
std::string in_short(double n) {
  static constexpr std::string_view units = "kMGTPE";
  if (n < 1000) return printed("%.0f", std::floor(n));
  std::size_t unit = 0;
  for (n /= 1000; n >= 1000 && unit + 1 < units.size(); n /= 1000) ++unit;
  const double shown = n < 10 ? std::floor(n * 10) / 10 : std::floor(n);
  return printed(n < 10 ? "%.1f%c" : "%.0f%c", shown, units[unit]);
}

std::string in_short(std::uint64_t n) { return in_short(static_cast<double>(n)); }

std::string rate_text(double rate) {
  if (rate >= 10) return in_short(rate) + "/s";
  return printed(rate >= 0.095 || rate == 0 ? "%.1f/s" : "%.3f/s", rate);
}

/// As 0:03.2, 12:34 or 1:02:03.
std::string time_text(seconds time) {
  if (time < seconds{9.95}) return printed("0:%04.1f", time.count());
  if (time > std::chrono::hours{24 * 365}) return "--:--";
  const auto s = static_cast<unsigned long long>(std::llround(time.count()));
  if (s >= 3600) return printed("%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
  return printed("%llu:%02llu", s / 60, s % 60);
}

bool has_share(const bar_figures& f) { return f.total && *f.total > 0 && f.done <= *f.total; }

double share_of(const bar_figures& f) {
  return static_cast<double>(f.done) / static_cast<double>(*f.total);
}

std::string percent(const bar_figures& f) { return std::to_string(f.done * 100 / *f.total) + "%"; }

std::string drawn(double share, std::size_t width, bool utf8) {
  const auto eighths = static_cast<std::size_t>(share * static_cast<double>(width) * 8);
  if (!utf8) return std::string(eighths / 8, '#') + std::string(width - eighths / 8, ' ');
  static constexpr std::array<std::string_view, 8> parts = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  std::string text;
  for (std::size_t b = 0; b < eighths / 8; ++b) text += "█";
  text += parts[eighths % 8];
  return text + std::string(width - eighths / 8 - (eighths % 8 != 0 ? 1 : 0), ' ');
}

/// Whether the consumer has not kept up with the workers.
bool consumer_is_behind(const bar_figures& f) {
  return f.buffersize > 1 && 2 * (f.done - std::min(f.done, f.taken)) >= f.buffersize;
}

std::string counts(const bar_figures& f) {
  std::string text = in_short(f.done);
  if (has_share(f)) text += "/" + in_short(*f.total);
  text += " " + f.unit;
  if (consumer_is_behind(f)) text += ", taken " + in_short(f.taken);
  return text;
}

std::string times(const bar_figures& f) {
  std::string elapsed = time_text(f.elapsed);
  if (!f.shows_left || !has_share(f)) return elapsed;
  return (f.left ? time_text(*f.left) : "--:--") + " left, " + elapsed;
}

std::string full_line(const bar_figures& f, std::size_t bar, bool flight, bool utf8) {
  std::string text = f.label;
  const auto part = [&text](const std::string& more, const char* before = "  ") {
    if (!text.empty()) text += before;
    text += more;
  };
  if (has_share(f)) {
    const std::string share = percent(f);
    part(std::string(4 - share.size(), ' ') + share, " ");
    if (bar != 0) part(drawn(share_of(f), bar, utf8), " ");
    part(counts(f), " ");
  } else {
    part(counts(f));
  }
  part(rate_text(f.rate));
  if (flight) part("in flight " + std::to_string(f.in_flight) + "/" + std::to_string(f.buffersize));
  if (f.failed != 0) part(std::to_string(f.failed) + " failed");
  part(times(f));
  return text;
}

std::string short_line(const bar_figures& f) {
  const std::string begin = has_share(f) ? percent(f) : in_short(f.done);
  const seconds time = f.shows_left && f.left ? *f.left : f.elapsed;
  return begin + " " + rate_text(f.rate) + " " + time_text(time);
}

/// A character of UTF-8 text: how long it is, and its number; a length of 0: it is none.
struct character {
  std::size_t size = 0;
  char32_t number = 0;
};

character first_of(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t size = lead >= 0xf0 && lead < 0xf5 ? 4
                           : lead >= 0xe0              ? 3
                           : lead >= 0xc2              ? 2
                                                       : 0;
  if (size == 0 || lead >= 0xf5 || text.size() < size) return {};
  char32_t number = lead & (0xffu >> (size + 1));
  for (std::size_t at = 1; at != size; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return {};
    number = number << 6 | (byte(at) & 0x3f);
  }
  static constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = number >= 0xd800 && number < 0xe000;
  if (number < least[size] || number > 0x10ffff || surrogate) return {};
  return {size, number};
}

/// C0, DEL and C1, and the marks that turn the direction of writing.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f)
         || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/// Ranges by Unicode's East_Asian_Width (W, F) and general category (Mn), the frequent ones.
std::size_t width_of(char32_t c) {
  const auto in = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (in(0x300, 0x36f) || in(0x200b, 0x200d) || in(0xfe00, 0xfe0f)) return 0;
  return in(0x1100, 0x115f) || in(0x2e80, 0xa4cf) || in(0xac00, 0xd7a3) || in(0xf900, 0xfaff)
                 || in(0xfe30, 0xfe6f) || in(0xff00, 0xff60) || in(0xffe0, 0xffe6)
                 || in(0x1f300, 0x1f64f) || in(0x1f900, 0x1f9ff) || in(0x20000, 0x3fffd)
             ? 2
             : 1;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (std::size_t left = columns; at != text.size();) {
    const character c = first_of(text.substr(at));
    const std::size_t width = width_of(c.number);
    if (width > left) break;
    left -= width;
    at += std::max<std::size_t>(c.size, 1);
  }
  return std::string{text.substr(0, at)};
}

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const character c = first_of(text);
    if (c.size == 0 || is_control(c.number))
      result += '?';
    else
      result += text.substr(0, c.size);
    text.remove_prefix(std::max<std::size_t>(c.size, 1));
  }
  return result;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const character c = first_of(text);
    columns += width_of(c.number);
    text.remove_prefix(std::max<std::size_t>(c.size, 1));
  }
  return columns;
}

std::string bar_line(const bar_figures& f, const look& how) {
  struct form {
    std::size_t bar;
    bool flight;
  };
  static constexpr std::array<form, 5> forms = {
      {{20, true}, {10, true}, {10, false}, {5, false}, {0, false}}};
  if (how.width >= 40) {
    for (const form& each : forms) {
      std::string line = full_line(f, each.bar, each.flight, how.utf8);
      if (columns_of(line) < how.width) return line;
    }
    // It is the label that is too long.
    bar_figures without = f;
    without.label.clear();
    const std::string rest = full_line(without, 0, false, how.utf8);
    const std::size_t columns = columns_of(rest) + 2;
    if (columns + 4 < how.width) return cut_to(f.label, how.width - 1 - columns) + "  " + rest;
  }
  return cut_to(short_line(f), how.width == 0 ? 0 : how.width - 1);
}

std::string closing_line(const bar_figures& f, bool stopped) {
  std::string text = f.label.empty() ? "" : f.label + "  ";
  if (stopped) text += "stopped at ";
  text += std::to_string(f.done);
  if (has_share(f)) text += "/" + std::to_string(*f.total);
  text += " " + f.unit;
  const double rate =
      f.elapsed > seconds{0} ? static_cast<double>(f.done) / f.elapsed.count() : 0.0;
  text += "  " + rate_text(rate);
  if (f.failed != 0) text += "  " + std::to_string(f.failed) + " failed";
  return text + "  " + time_text(f.elapsed);
}

std::string log_line(const bar_figures& f) {
  std::string text = f.label.empty() ? "" : f.label + "  ";
  if (has_share(f)) text += percent(f) + " ";
  text += counts(f) + "  " + rate_text(f.rate);
  if (f.failed != 0) text += "  " + std::to_string(f.failed) + " failed";
  return text + "  " + times(f);
}

std::string json_line(const bar_figures& f) {
  const auto number = [](double n) {  // not as the locale has it
    std::array<char, 64> text{};
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), n, std::chars_format::fixed, 3);
    return std::string{text.data(), end.ptr};
  };
  return "{\"label\":" + in_quotes(f.label) + ",\"done\":" + std::to_string(f.done)
         + ",\"taken\":" + std::to_string(f.taken) + ",\"failed\":" + std::to_string(f.failed)
         + ",\"total\":" + (f.total ? std::to_string(*f.total) : "null") + ",\"rate\":"
         + number(f.rate) + ",\"in_flight\":" + std::to_string(f.in_flight) + ",\"buffersize\":"
         + std::to_string(f.buffersize) + ",\"elapsed\":" + number(f.elapsed.count())
         + ",\"left\":" + (f.left ? number(f.left->count()) : "null") + "}";
}

}  // namespace fmap::detail
