// SPDX-License-Identifier: BSD-3-Clause
// The requester: sends a map's items to an actor as requests.
#pragma once

#include <atomic>
#include <memory>
#include <unordered_set>

#include "actors/neighbour.hpp"

namespace fmap::actors {

/// Lives as long as its map. When the actor it asks has ended it fails all calls, those that are waiting
/// for an answer and those to come: CAF does not fail requests that an actor of a lost node had accepted.
class requester final : public caf::event_based_actor {
public:
  /// `over` becomes true when a call failed for that reason.
  requester(caf::actor_config&, const caf::actor& target, std::shared_ptr<std::atomic<bool>> over);

  const char* name() const override { return "fmap.requester"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void fail(detail::call&);

  neighbour target_;
  const std::shared_ptr<std::atomic<bool>> over_;
  std::unordered_set<std::shared_ptr<detail::call>> waiting_;
  caf::error reason_;  // why the target is no more
};

}  // namespace fmap::actors
