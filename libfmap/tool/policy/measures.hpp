// SPDX-License-Identifier: BSD-3-Clause
// How many commands may run, and how much may be in flight.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>

#include "tool/command/batch_size.hpp"
#include "tool/options/options.hpp"

namespace fmap::tool {

struct measures {
  std::size_t jobs = 1;
  std::size_t in_flight = 16;      // items
  std::size_t commands = 16;       // in flight: as many, or fewer
  std::size_t items_each = 1;      // of a command, at most
  std::size_t most_commands = 16;  // in flight, if more of them may run later
};

/// How many commands are in flight by default.
std::size_t in_flight_for(std::size_t jobs);

measures measure(const options& o);

/// How many items the next command gets, which changes with -n auto as it turns out how long commands take.
class sizes {
public:
  sizes(const options& o, const measures& m)
      : fixed_{m.items_each}, adapts_{o.auto_items}, adaptive_{m.items_each} {}

  std::size_t now() {
    std::lock_guard guard{mutex_};
    return adapts_ ? adaptive_.now() : fixed_;
  }
  void note(std::size_t items, std::chrono::nanoseconds took) {
    std::lock_guard guard{mutex_};
    adaptive_.note(items, took);
  }

private:
  std::mutex mutex_;
  std::size_t fixed_;
  bool adapts_;
  batch_size adaptive_;
};

}  // namespace fmap::tool
