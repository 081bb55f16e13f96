// SPDX-License-Identifier: BSD-3-Clause
// An actor for one life of one worker process.
#pragma once

#include <memory>

#include "actors/protocol.hpp"
#include "src/remote/process_shared.hpp"
#include "src/remote/session.hpp"

namespace fmap::actors {

/// To the supervisor this is a worker like any other: spawned when there is work, it takes batches as
/// long as there are any, and leaves. It sits on a thread of its own and waits there for its process; when
/// that dies the actor ends, and the supervisor spawns another one.
class process_session final : public detached_actor {
public:
  process_session(caf::actor_config& config, std::shared_ptr<shared_mailbox> box,
                  std::shared_ptr<remote::process_shared> shared)
      : detached_actor{config}, box_{std::move(box)}, shared_{std::move(shared)} {}

  const char* name() const override { return "fmap.process-session"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  std::shared_ptr<shared_mailbox> box_;
  std::shared_ptr<remote::process_shared> shared_;
  bool lived_ = false;
};

}  // namespace fmap::actors
