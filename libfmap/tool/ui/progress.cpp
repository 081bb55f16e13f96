// SPDX-License-Identifier: BSD-3-Clause
// Figures in, a line out.
#include "tool/ui/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "tool/ui/width.hpp"

namespace fmap::tool {

namespace {

/// 1850 as "1 850".
std::string grouped(std::uint64_t n, const char* between) {
  std::string text = std::to_string(n);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, between);
  }
  return text;
}

std::string span(std::chrono::seconds time) {
  const long long s = time.count();
  char text[32];
  if (s >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld", s / 60, s % 60);
  return text;
}

std::string rate_text(double rate) {
  if (rate >= 10) return grouped(static_cast<std::uint64_t>(std::llround(rate)), " ") + "/s";
  char text[32];
  std::snprintf(text, sizeof text, rate >= 0.095 ? "%.1f/s" : "%.2f/s", rate);
  return text;
}

std::optional<std::chrono::seconds> left(const progress& p) {
  if (!p.total || p.done + p.skipped >= *p.total) return std::nullopt;
  if (p.rate <= 0) return std::nullopt;
  const double seconds = static_cast<double>(*p.total - p.done - p.skipped) / p.rate;
  if (seconds > 1e9) return std::nullopt;
  return std::chrono::seconds{static_cast<long long>(std::ceil(seconds))};
}

std::string drawn(double share, std::size_t width, bool utf8) {
  const auto eighths = static_cast<std::size_t>(share * static_cast<double>(width) * 8);
  std::string text;
  if (!utf8) {
    text.append(eighths / 8, '#');
    return text + std::string(width - eighths / 8, ' ');
  }
  static const char* const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  for (std::size_t b = 0; b < eighths / 8; ++b) text += "█";
  text += parts[eighths % 8];
  return text + std::string(width - eighths / 8 - (eighths % 8 != 0 ? 1 : 0), ' ');
}

constexpr std::size_t bar_width = 20;

}  // namespace

std::string bar_line(const progress& p, const look& how) {
  const std::uint64_t done = p.done + p.skipped;
  std::string text;
  if (p.total && *p.total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(*p.total));
    char percent[16];
    std::snprintf(percent, sizeof percent, "%3u%% ",
                  static_cast<unsigned>(std::min(done, *p.total) * 100 / *p.total));
    text = percent + drawn(share, bar_width, how.utf8) + "  " + grouped(done, " ") + "/"
           + grouped(*p.total, " ");
  } else {
    text = grouped(done, " ") + " done";
  }
  const std::string red = how.colour ? "\033[31m" : "", plain = how.colour ? "\033[0m" : "";
  const std::string failed = "  " + std::to_string(p.failed) + " failed";
  const std::size_t failed_from = text.size();
  text += failed + "  " + std::to_string(p.running) + " running  " + rate_text(p.rate);
  if (const auto time = left(p)) {
    const std::time_t end = p.now + time->count();
    std::tm at{};
    ::localtime_r(&end, &at);
    char clock[16];
    std::strftime(clock, sizeof clock, "%H:%M:%S", &at);
    text += "  ETA " + span(*time) + " (" + clock + ")";
  } else {
    text += "  " + span(std::chrono::duration_cast<std::chrono::seconds>(p.elapsed));
  }
  if (p.running == 0 && !p.total)
    text += "  waiting for input";
  else if (!p.oldest.empty())
    text += "  oldest: " + p.oldest + " " + std::to_string(p.age.count()) + " s";
  if (how.width > 1 && columns_of(text, how.utf8) >= how.width)
    text = fit(text, how.width - 1, how.utf8);
  if (how.colour && p.failed > 0 && text.size() >= failed_from + failed.size())
    text = text.substr(0, failed_from) + red + failed + plain
           + text.substr(failed_from + failed.size());
  return text;
}

std::string plain_line(const progress& p) {
  std::string text = std::to_string(p.done + p.skipped);
  if (p.total) text += "/" + std::to_string(*p.total);
  text += " done, " + std::to_string(p.failed) + " failed, " + rate_text(p.rate);
  if (const auto time = left(p))
    text += ", " + span(*time) + " left";
  else
    text += ", " + span(std::chrono::duration_cast<std::chrono::seconds>(p.elapsed));
  return text;
}

double rate_meter::note(std::uint64_t done, std::chrono::milliseconds elapsed) {
  const double seconds = static_cast<double>((elapsed - at_).count()) / 1000;
  if (seconds <= 0) return rate_;
  const double now = static_cast<double>(done - done_) / seconds;
  const double all = static_cast<double>(elapsed.count()) / 1000;
  // The first seconds count in full, then what is older fades.
  const double weight = std::min(1.0, seconds / std::min(all, 10.0));
  rate_ += (now - rate_) * weight;
  done_ = done;
  at_ = elapsed;
  return rate_;
}

}  // namespace fmap::tool
