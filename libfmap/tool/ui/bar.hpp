// SPDX-License-Identifier: BSD-3-Clause
// --bar: draws the progress while a run goes on.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "tool/ui/progress.hpp"

namespace fmap::tool {

/// A thread that asks for the figures: on a terminal ten times a second for a line at its bottom, else every ten seconds.
/// Its end takes the line away; in a log, says the last figures.
class bar {
public:
  /// `figures` fills in all but times and rates.
  bar(std::function<progress()> figures, bool colour);
  bar(const bar&) = delete;
  bar& operator=(const bar&) = delete;
  ~bar();

private:
  void run();
  progress now();

  std::function<progress()> figures_;
  bool terminal_;
  look look_;
  std::chrono::steady_clock::time_point began_;
  rate_meter rate_;
  std::mutex mutex_;
  std::condition_variable over_changed_;
  bool over_ = false;
  std::thread thread_;
};

/// Whether standard error shows colours.
bool shows_colour();

}  // namespace fmap::tool
