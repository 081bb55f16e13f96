// SPDX-License-Identifier: BSD-3-Clause
// One place of a node_pool: lives of a node, one after the other.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "src/remote/door/node_session.hpp"
#include "src/remote/restart_budget.hpp"

namespace fmap::remote {

/// Runs a place's command again when its node was lost, after a while that grows, until that happens too often. When
/// nobody can come any more the pool is broken.
class launcher {
public:
  launcher(std::shared_ptr<shared_mailbox> box, std::shared_ptr<node_shared> shared,
           std::size_t place);

  /// Returns when the pool has no use for nodes any more. Uses this thread until then.
  void run();

private:
  node_end live_once();
  bool may_leave();
  bool go_on_after(const node_end&, clock::time_point started);
  void give_up();
  void stand_by();
  bool wait(std::chrono::milliseconds);

  const std::shared_ptr<shared_mailbox> box_;
  const std::shared_ptr<node_shared> shared_;
  const std::size_t place_;
  restart_budget budget_;
  std::chrono::milliseconds pause_;
};

}  // namespace fmap::remote
