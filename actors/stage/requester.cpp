// SPDX-License-Identifier: BSD-3-Clause
// The requester: sends a map's items to an actor as requests.

#include "actors/stage/requester.hpp"

#include <utility>

#include <fmap/actor.hpp>

namespace fmap::actors {

requester::requester(caf::actor_config& config, const caf::actor& target,
                     std::shared_ptr<std::atomic<bool>> over)
    : caf::event_based_actor{config}, over_{std::move(over)} {
  target_.attach(this, target);
}

caf::behavior requester::make_behavior() {
  return {
      [this](const errand& e) {
        if (reason_) return fail(*e.what);
        waiting_.insert(e.what);
        try {
          e.what->send(this, [this, c = e.what] { waiting_.erase(c); });
        } catch (...) {  // the item cannot be copied into a message
          waiting_.erase(e.what);
          e.what->fail(std::current_exception());
        }
      },
      [this](const neighbour_gone& gone) {
        reason_ = end_of(gone.reason, "the actor");
        for (const auto& c : std::exchange(waiting_, {})) fail(*c);
      },
  };
}

void requester::fail(detail::call& c) {
  *over_ = true;
  c.fail(std::make_exception_ptr(actor_error{reason_}));
}

void requester::on_exit() {
  reason_ = end_of(fail_state(), "the map's requester");
  for (const auto& c : std::exchange(waiting_, {})) fail(*c);
  target_.detach();
}

}  // namespace fmap::actors
