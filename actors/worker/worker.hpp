// SPDX-License-Identifier: BSD-3-Clause
// The worker: applies functions to batches, as long as there are any.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "actors/protocol.hpp"
#include "actors/worker/helper.hpp"
#include "src/kernel/worker.hpp"

namespace fmap::actors {

/// Runs user code, which may block, sleep and throw; it is spawned with a thread of its own, so that it
/// holds up nobody else.
///
///   idle --wake--> working --nothing to take--> idle
///                  working --pool closing or broken--> gone
class worker_actor final : public detached_actor {
public:
  /// `initializer` runs once, in the worker's thread, before its first item; if it throws, the pool is
  /// broken.
  worker_actor(caf::actor_config& config, std::shared_ptr<shared_mailbox> box,
               std::function<void()> initializer)
      : detached_actor{config}, box_{std::move(box)}, initializer_{std::move(initializer)} {}

  const char* name() const override { return "fmap.worker"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void start();

  std::shared_ptr<shared_mailbox> box_;
  std::function<void()> initializer_;
  worker place_;
  std::optional<pool_helper> helper_;
};

}  // namespace fmap::actors
