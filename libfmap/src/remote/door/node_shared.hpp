// SPDX-License-Identifier: BSD-3-Clause
// What all nodes of a pool have in common.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "src/remote/door/node_roster.hpp"
#include "src/remote/frames.hpp"

namespace fmap::remote {

/// A command that starts a node, and how often it is run again.
struct node_launch {
  std::string command;
  std::size_t restarts = 5;
  std::chrono::nanoseconds restart_window{}, boot_timeout{};
};

struct node_settings {
  std::vector<node_launch> launch;
  frames::welcome welcome;               // what each is told
  std::vector<std::string> environment;  // of the commands, all of it
  std::size_t most_threads = 1024;       // that a node may have
};

struct node_shared {
  node_shared(node_settings s, node_roster::tell_function tell)
      : settings{std::move(s)}, roster{commands_of(settings.launch), std::move(tell)} {}

  const node_settings settings;
  node_roster roster;
  std::atomic<std::size_t> next_place{0};  // for those who start

private:
  static std::vector<std::string> commands_of(const std::vector<node_launch>& all) {
    std::vector<std::string> result;
    result.reserve(all.size());
    for (const node_launch& l : all) result.push_back(l.command);
    return result;
  }
};

}  // namespace fmap::remote
