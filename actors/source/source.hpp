// SPDX-License-Identifier: BSD-3-Clause
// The source: pulls a run's input against demand.
#pragma once

#include <memory>

#include "actors/protocol.hpp"
#include "src/kernel/source_port.hpp"

namespace fmap::actors {

/// Owns the use of one run's input iterator: nobody else touches it. Pulls only as far as tokens have
/// been granted. It may block inside the iterator, so it is spawned with a thread of its own.
///
///   waiting --demand--> pulling --no tokens left--> waiting
///                       pulling --input over, run stopped or cut--> gone
class source final : public detached_actor {
public:
  source(caf::actor_config& config, std::shared_ptr<shared_mailbox> box, run_ptr run)
      : detached_actor{config}, box_{std::move(box)}, run_{std::move(run)} {}

  const char* name() const override { return "fmap.source"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  std::shared_ptr<shared_mailbox> box_;
  run_ptr run_;
};

}  // namespace fmap::actors
