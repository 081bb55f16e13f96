// SPDX-License-Identifier: BSD-3-Clause
// The node: an actor for one life of one worker process.
#pragma once

#include <memory>

#include "actors/node/stub.hpp"
#include "actors/protocol.hpp"

namespace fmap::actors {

/// To the supervisor a node is a worker like any other: spawned when there is work, it takes batches as
/// long as there are any, and leaves. It sits on a thread of its own and waits there for its process; when
/// that dies the node ends, and the supervisor spawns another one.
class node final : public detached_actor {
public:
  node(caf::actor_config& config, std::shared_ptr<shared_mailbox> box,
       std::shared_ptr<node_commons> commons)
      : detached_actor{config}, box_{std::move(box)}, commons_{std::move(commons)} {}

  const char* name() const override { return "fmap.node"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  std::shared_ptr<shared_mailbox> box_;
  std::shared_ptr<node_commons> commons_;
  bool lived_ = false;
};

}  // namespace fmap::actors
