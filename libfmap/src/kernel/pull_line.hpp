// SPDX-License-Identifier: BSD-3-Clause
// The runs whose input a worker is to pull, in line.
#pragma once

#include <algorithm>
#include <deque>
#include <utility>

#include "src/kernel/run.hpp"

namespace fmap::kernel {

/// A run is in it once at most.
class pull_line {
public:
  void join(run& r) {
    if (r.in.in_line) return;
    line_.push_back(&r);
    r.in.in_line = true;
  }

  /// Takes out the run that has been in it for longest.
  run& next() {
    run& r = *line_.front();
    line_.pop_front();
    r.in.in_line = false;
    return r;
  }

  void leave(run& r) {
    if (std::exchange(r.in.in_line, false)) std::erase(line_, &r);
  }

  bool empty() const { return line_.empty(); }
  auto begin() const { return line_.begin(); }
  auto end() const { return line_.end(); }

private:
  std::deque<run*> line_;
};

}  // namespace fmap::kernel
