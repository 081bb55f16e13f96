// SPDX-License-Identifier: BSD-3-Clause
// An actor for one place of a node_pool.
#pragma once

#include <cstddef>
#include <memory>

#include "actors/protocol.hpp"
#include "src/remote/door/launcher.hpp"

namespace fmap::actors {

/// Sits on a thread of its own, and waits there for its node: life after life, as long as the pool has a use for it.
/// To the supervisor it is one worker, which is started with the pool.
class node_place final : public detached_actor {
public:
  node_place(caf::actor_config& config, std::shared_ptr<shared_mailbox> box,
             std::shared_ptr<remote::node_shared> shared, std::size_t place)
      : detached_actor{config}, box_{std::move(box)}, shared_{std::move(shared)}, place_{place} {}

  const char* name() const override { return "fmap.node-place"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  std::shared_ptr<shared_mailbox> box_;
  std::shared_ptr<remote::node_shared> shared_;
  const std::size_t place_;
};

}  // namespace fmap::actors
