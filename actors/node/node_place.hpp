// SPDX-License-Identifier: BSD-3-Clause
// An actor for one place of a node_pool.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "actors/protocol.hpp"
#include "src/kernel/shared_mailbox.hpp"

namespace fmap::actors {

/// Sits on a thread of its own and serves nodes there: those of one command, life after life; one that has dialled in; or
/// the door where they do. To the supervisor it is one worker.
class node_place final : public detached_actor {
public:
  /// `serve` returns when nothing is left to do there; what it throws breaks the pool.
  node_place(caf::actor_config& config, std::shared_ptr<shared_mailbox> box,
             std::function<void()> serve)
      : detached_actor{config}, box_{std::move(box)}, serve_{std::move(serve)} {}

  const char* name() const override { return "fmap.node-place"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  std::shared_ptr<shared_mailbox> box_;
  std::function<void()> serve_;
};

}  // namespace fmap::actors
