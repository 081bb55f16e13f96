// SPDX-License-Identifier: BSD-3-Clause
// Figures in, a line of text out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fmap::detail {

struct bar_figures {
  std::string label, unit;
  std::uint64_t done = 0, taken = 0, failed = 0, in_flight = 0, buffersize = 0;
  std::optional<std::uint64_t> total;
  double rate = 0;                                    // outcomes a second
  std::optional<std::chrono::duration<double>> left;  // none: not known
  bool shows_left = true;
  std::chrono::duration<double> elapsed{0};
};

/// What a terminal is like.
struct look {
  std::size_t width = 80;
  bool utf8 = false;
};

/// For a terminal, narrower than it.
std::string bar_line(const bar_figures&, const look&);

/// What stays when it is over. `stopped`: before its end.
std::string closing_line(const bar_figures&, bool stopped);

/// For a log.
std::string log_line(const bar_figures&);

/// For another program: an object, without a newline.
std::string json_line(const bar_figures&);

/// Text that moves no cursor: control characters and what is no UTF-8 are '?'.
std::string harmless(std::string_view);

/// How many columns of a terminal such text takes.
std::size_t columns_of(std::string_view);

}  // namespace fmap::detail
