// SPDX-License-Identifier: BSD-3-Clause
// Bars as programs see them.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmap/progress.hpp>

#include "src/progress/board.hpp"
#include "src/progress/terminal.hpp"

namespace fmap {

namespace {

using detail::bar;

void check(const progress_options& o) {
  if (o.every < std::chrono::milliseconds{10})
    throw std::invalid_argument{"fmap: progress: every must be at least 10 ms"};
  if (o.lines_every <= std::chrono::nanoseconds::zero())
    throw std::invalid_argument{"fmap: progress: lines_every must be positive"};
  if (o.to == nullptr) throw std::invalid_argument{"fmap: progress: to is null"};
}

/// What the program wants, and what its user does.
bar::mode mode_of(const progress_options& o) {
  if (o.when == never) return bar::mode::none;
  const char* const variable = std::getenv("FMAP_PROGRESS");
  const std::string_view wish = variable != nullptr ? variable : "";
  if (wish == "never") return bar::mode::none;
  if (wish == "always") return bar::mode::drawn;
  if (wish == "lines") return bar::mode::lines;
  if (wish == "json") return bar::mode::json;
  if (!wish.empty())
    progress_bar::print("fmap: FMAP_PROGRESS is " + std::string{wish}
                        + ": write always, never, lines or json");
  if (o.when == always || detail::is_terminal(o.to)) return bar::mode::drawn;
  return bar::mode::lines;
}

}  // namespace

progress_bar::progress_bar(std::function<map_stats()> figures, progress_options options) {
  check(options);
  const bar::mode how = mode_of(options);
  if (how == bar::mode::none) return;
  bar_ = std::make_unique<bar>(std::move(figures), std::move(options), how);
  detail::board::instance().add(*bar_);
}

progress_bar::~progress_bar() { finish(); }

void progress_bar::finish(bool stopped) noexcept {
  if (bar_) detail::board::instance().finish(*bar_, stopped);
}

void progress_bar::print(std::string_view line) noexcept { detail::board::instance().print(line); }

}  // namespace fmap
