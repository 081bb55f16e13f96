// SPDX-License-Identifier: BSD-3-Clause
// The supervisor: starts a pool's workers and keeps its shared mailbox moving.
#pragma once

#include <exception>
#include <functional>
#include <memory>

#include <caf/actor.hpp>

#include "actors/protocol.hpp"
#include "src/core/idle_processors.hpp"
#include "src/kernel/supervisor_port.hpp"

namespace fmap::actors {

/// One per pool. Never blocks and never runs user code.
///
///   quiet --wake--> starts workers, then ticking or quiet
///   ticking --tick--> ticking, or quiet when nothing is withheld
///   adapting --adapt--> adapting, or not when there are as few workers as at rest; beside the other two
///   any --wake, pool shut down and all done--> gone
class supervisor final : public detached_actor {
public:
  /// `spawn_worker` is the wiring's: it knows what a worker is. `give_up` is called when there is no worker,
  /// and none can be started.
  supervisor(caf::actor_config& config, std::shared_ptr<shared_mailbox> box,
             std::function<caf::actor()> spawn_worker,
             std::function<void(std::exception_ptr)> give_up)
      : detached_actor{config}, box_{std::move(box)},
        spawn_worker_{std::move(spawn_worker)}, give_up_{std::move(give_up)} {}

  const char* name() const override { return "fmap.supervisor"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void start_worker();
  void tick_after(std::chrono::microseconds delay);
  void look_after(clock::duration delay);

  std::shared_ptr<shared_mailbox> box_;
  std::function<caf::actor()> spawn_worker_;
  std::function<void(std::exception_ptr)> give_up_;
  std::uint64_t last_tick_ = 0, last_look_ = 0;
  detail::idle_processors idle_{tuning::idle_window};
};

}  // namespace fmap::actors
