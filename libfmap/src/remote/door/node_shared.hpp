// SPDX-License-Identifier: BSD-3-Clause
// What all nodes of a pool have in common.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/remote/connection.hpp"
#include "src/remote/door/node_roster.hpp"
#include "src/remote/frames.hpp"
#include "src/remote/link/join_file.hpp"
#include "src/remote/link/sockets.hpp"

namespace fmap::remote {

/// A command that starts a node, and how often it is run again.
struct node_launch {
  std::string command;
  std::size_t restarts = 5;
  std::chrono::nanoseconds restart_window{}, boot_timeout{};
};

struct node_settings {
  std::vector<node_launch> launch;
  frames::welcome welcome;                                           // what each is told
  std::vector<std::string> environment;                              // of the commands, all of it
  std::size_t most_threads = 1024;                                   // that a node may have
  std::size_t most_nodes = 1000;                                     // that may be here
  std::chrono::nanoseconds join_timeout = std::chrono::seconds{10};  // of a node that dials in
  std::optional<std::chrono::nanoseconds> no_nodes_timeout;  // without one the pool is broken
  std::shared_ptr<tls_context> tls;                          // nobody: none is spoken
  bool bind_names = false;  // a node's certificate is for the name that it gives
};

/// A node that has dialled in and said who it is.
struct guest {
  std::size_t place = 0;
  std::unique_ptr<connection> line;
  frames::hello who;
  std::string from;
};

/// Those whom the door has let in and nobody serves yet. Thread-safe.
class guest_queue {
public:
  void push(guest g) {
    std::lock_guard guard{mutex_};
    guests_.push_back(std::move(g));
  }
  std::optional<guest> pop() {
    std::lock_guard guard{mutex_};
    if (guests_.empty()) return {};
    std::optional<guest> result{std::move(guests_.front())};
    guests_.pop_front();
    return result;
  }
  /// The last one, if it is still there.
  void take_back() {
    std::lock_guard guard{mutex_};
    if (!guests_.empty()) guests_.pop_back();
  }

private:
  std::mutex mutex_;
  std::deque<guest> guests_;
};

struct node_shared {
  node_shared(node_settings s, std::unique_ptr<listener> where, node_roster::tell_function tell)
      : settings{std::move(s)}, roster{commands_of(settings.launch), settings.most_nodes,
                                       where != nullptr, std::move(tell)},
        door{std::move(where)}, address{door ? to_string(door->where()) : std::string{}} {}

  const node_settings settings;
  node_roster roster;
  std::unique_ptr<listener> door;  // until somebody stands there
  const std::string address;       // where nodes dial in
  join_file join;                  // what they need for that
  guest_queue guests;
  std::atomic<std::size_t> next_place{0};  // for those who start
  std::atomic<bool> send_home{false};      // nodes that are let go do not come again

private:
  static std::vector<std::string> commands_of(const std::vector<node_launch>& all) {
    std::vector<std::string> result;
    result.reserve(all.size());
    for (const node_launch& l : all) result.push_back(l.command);
    return result;
  }
};

}  // namespace fmap::remote
