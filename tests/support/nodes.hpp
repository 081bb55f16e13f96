// SPDX-License-Identifier: BSD-3-Clause
// Nodes on this machine, for tests: commands that start this program as one.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include <fmap/node_pool.hpp>

#include "support/processes.hpp"

namespace testing {

/// A command that starts a node of so many workers here.
inline std::string node_command(int workers = 2, const std::string& more = {}) {
  return "exec '" + std::filesystem::read_symlink("/proc/self/exe").string()
         + "' --fmap-node=- --fmap-workers=" + std::to_string(workers) + " " + more;
}

/// So many of them, which may be lost so often.
inline std::vector<fmap::node_command> node_commands(int nodes, int workers = 2,
                                                     std::size_t restarts = 5) {
  std::vector<fmap::node_command> result;
  for (int i = 0; i != nodes; ++i)
    result.emplace_back(
        fmap::node_command_options{.command = node_command(workers), .restarts = restarts});
  return result;
}

/// A pool with one node of so many workers, where tests are for pools of any kind.
class pool_on_node : public fmap::node_pool {
public:
  explicit pool_on_node(int workers)
      : fmap::node_pool{fmap::node_pool_options{.launch = node_commands(1, workers)}} {}
};

/// Child processes of another one, which are a node's workers.
inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> result;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && status_of(pid).parent == parent) result.push_back(pid);
  }
  return result;
}

/// What a pool has told of its nodes.
class event_log {
public:
  auto listener() {
    return [this](const fmap::node_event& e) {
      std::lock_guard guard{mutex_};
      events_.push_back(e);
    };
  }
  std::size_t count(fmap::node_event_kind kind) const {
    std::lock_guard guard{mutex_};
    return static_cast<std::size_t>(std::count_if(events_.begin(), events_.end(),
                                                  [&](const auto& e) { return e.kind == kind; }));
  }
  std::string reasons() const {
    std::lock_guard guard{mutex_};
    std::string all;
    for (const auto& e : events_) all += std::string{to_string(e.kind)} + ": " + e.reason + "\n";
    return all;
  }

private:
  mutable std::mutex mutex_;
  std::vector<fmap::node_event> events_;
};

}  // namespace testing
