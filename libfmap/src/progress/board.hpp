// SPDX-License-Identifier: BSD-3-Clause
// All bars of the program, and the thread that draws them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmap/progress.hpp>

#include "src/progress/block.hpp"
#include "src/progress/pace.hpp"
#include "src/progress/terminal.hpp"

namespace fmap::detail {

using bar_clock = std::chrono::steady_clock;

/// One bar. The board's mutex guards it.
class bar {
public:
  enum class mode : std::uint8_t { none, drawn, lines, json };

  bar(std::function<map_stats()> figures, progress_options options, mode how);

  /// Reads the map.
  const bar_figures& look();

  const mode how;
  const progress_options options;
  bar_clock::time_point due;  // for lines
  double next_share = 0.1;

private:
  const std::function<map_stats()> figures_;
  bar_figures now_;
  pace pace_;
};

/// Where bars are drawn: a stream with a block of lines at its end.
struct bar_screen {
  std::FILE* to = nullptr;
  block shown;
  bool gone = false;  // nobody reads it
  bar_clock::time_point due{};
};

/// There is one for the program; it is never destroyed, as bars of static maps may outlive anything.
class board {
public:
  static board& instance();

  void add(bar&);
  /// When it returns, the bar is not used any more.
  void finish(bar&, bool stopped) noexcept;
  void print(std::string_view line) noexcept;

private:
  using guard = std::unique_lock<std::mutex>;

  void run(std::uint64_t thread);
  bar_clock::time_point draw_what_is_due(bar_clock::time_point now);
  bar_screen& screen_of(std::FILE* to);
  void draw(bar_screen&, const std::vector<std::string>& above);
  void say(std::FILE* to, const std::string& line);
  void close(bar&, bool stopped);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<bar*> bars_;
  std::list<bar_screen> screens_;
  std::thread thread_;
  std::uint64_t running_ = 0;  // which thread is to draw; 0: none
  std::uint64_t threads_ = 0;  // there have been
  const bool utf8_ = is_utf8_locale();
};

}  // namespace fmap::detail
