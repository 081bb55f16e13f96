// SPDX-License-Identifier: BSD-3-Clause
// Where nodes dial in.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "src/remote/door/caller.hpp"
#include "src/remote/door/node_shared.hpp"

namespace fmap::remote {

/// Listens, shakes hands, and hears who it is; those who may join are handed on, each to a thread of its own. Nobody who
/// has not been let in costs more than a descriptor and 64 KiB, for a few seconds. One thread, which runs no code of the
/// user's but `on_event`.
class door {
public:
  door(std::shared_ptr<shared_mailbox>, std::shared_ptr<node_shared>);

  /// Returns when the pool has no use for nodes any more. Uses this thread until then.
  void run();

private:
  using clock = std::chrono::steady_clock;

  void wait();
  void accept();
  void make_room(const std::string& host);
  void answer(caller&);
  void refuse(caller&, const std::string& kind, const frames::refused&);
  void end_late_ones();
  void tell_refused(const caller&, const std::string& kind, const std::string& why);
  void look_after_files();
  void look_after_nodes();

  const std::shared_ptr<shared_mailbox> box_;
  const std::shared_ptr<node_shared> shared_;
  const std::unique_ptr<listener> listener_;
  std::list<caller> callers_;
  std::vector<pollfd> fds_;
  clock::time_point now_{}, files_looked_at_{}, nodes_seen_ = clock::now();
};

}  // namespace fmap::remote
