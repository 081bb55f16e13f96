// SPDX-License-Identifier: BSD-3-Clause
// The numbers of those that run, from 1: the lowest free one is given next.
#pragma once

#include <cstddef>
#include <functional>
#include <queue>
#include <vector>

namespace fmap::tool {

class slots {
public:
  std::size_t take() {
    if (free_.empty()) return ++most_;
    const std::size_t lowest = free_.top();
    free_.pop();
    return lowest;
  }
  void give_back(std::size_t slot) { free_.push(slot); }

private:
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> free_;
  std::size_t most_ = 0;
};

}  // namespace fmap::tool
