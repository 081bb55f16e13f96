// SPDX-License-Identifier: BSD-3-Clause
// The sink: the end of a chain of stages, which calls a function.
#pragma once

#include <memory>

#include <fmap/detail/stage_types.hpp>

#include "actors/lingering_actor.hpp"
#include "actors/message_run.hpp"
#include "actors/neighbour.hpp"

namespace fmap::actors {

/// Demands items from an upstream and has a worker of its own call the user's function on them, one
/// after the other.
///
///   open --end--> finishing --all calls returned--> gone, with the end's reason
///   open --a call throws, exit or error message--> gone, upstream gets `stop`
///
/// It is gone when the last call has returned.
class sink final : public lingering_actor {
public:
  sink(caf::actor_config&, std::unique_ptr<message_run>,
       std::shared_ptr<const detail::stage_types>);

  const char* name() const override { return "fmap.sink"; }
  caf::behavior make_behavior() override;

private:
  void let_go(const caf::error&, doorbell_ptr left) override;
  bool obeys(const caf::actor_addr&) const override;
  bool at_work() const override { return upstream_.here(); }
  void attach_upstream(const attach_source&);
  void receive(detail::arrival&);
  void end_input(caf::error reason);
  void work();
  void ask();

  std::unique_ptr<message_run> run_;
  const std::shared_ptr<const detail::stage_types> types_;
  const std::uint64_t buffersize_, group_;
  item_sender upstream_;
  std::uint64_t in_flight_ = 0, granted_ = 0;
  bool input_over_ = false;
  caf::error reason_;
};

}  // namespace fmap::actors
