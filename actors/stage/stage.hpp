// SPDX-License-Identifier: BSD-3-Clause
// The stage: a bounded map between two actors.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include <fmap/detail/stage_types.hpp>

#include "actors/lingering_actor.hpp"
#include "actors/message_run.hpp"

namespace fmap::actors {

/// Takes items from an upstream as far as it has demanded them, has a pool work on them, and sends the
/// outcomes to a downstream as far as that has demanded them. It keeps neither alive.
///
///   open --end, or upstream gone--> finishing --all outcomes sent--> gone, downstream gets `end`
///   open, finishing --stop, or downstream gone--> gone, upstream gets `stop`
///   any --the pool ends--> finishing; downstream gets `end`, upstream `stop`
///   any --exit or error message--> gone, both are told
///
/// It is gone when the last call has returned.
class stage final : public lingering_actor {
public:
  stage(caf::actor_config&, std::unique_ptr<message_run>,
        std::shared_ptr<const detail::stage_types>);

  const char* name() const override { return "fmap.stage"; }
  caf::behavior make_behavior() override;

private:
  void let_go(const caf::error&, doorbell_ptr left) override;
  bool obeys(const caf::actor_addr&) const override;
  bool at_work() const override { return upstream_.here() || downstream_; }
  struct passing_failure {
    std::uint64_t place = 0;  // the number of items before it
    failure what;
  };

  void attach_upstream(const attach_source&);
  void attach_downstream(const caf::actor&);
  void send_to_downstream(const caf::actor&);
  bool may_send();
  void receive(detail::arrival&);
  void drop();
  void cut_input();
  void end_input(caf::error reason);
  void work();
  void pass_failures(bool all);
  void send_outcome(detail::chunk&, std::uint32_t offset, std::uint64_t index);
  void ask();
  void conclude();
  void give_up(const caf::error& reason);

  std::unique_ptr<message_run> run_;
  const std::shared_ptr<const detail::stage_types> types_;
  const std::uint64_t buffersize_, group_;
  item_sender upstream_;
  neighbour downstream_;
  std::uint64_t received_ = 0, sent_ = 0;  // items, and outcomes of them
  std::deque<passing_failure> passing_;    // failures received and not sent
  std::uint64_t in_flight_ = 0;  // items and failures received whose outcomes have not been sent
  std::uint64_t granted_ = 0;    // items that the upstream may send
  std::uint64_t demand_ = 0;     // outcomes that the downstream wants
  bool input_over_ = false;      // the upstream will send no more
  bool cut_ = false;             // because the pool has ended
  bool over_ = false;            // and all outcomes have been sent
  caf::error reason_;            // why the input was over
};

}  // namespace fmap::actors
