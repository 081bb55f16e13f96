// SPDX-License-Identifier: BSD-3-Clause
// The node: an actor for one life of one worker process.

#include "actors/node/node.hpp"

#include "src/kernel/pool_port.hpp"
#include "src/kernel/supervisor_port.hpp"
#include "src/kernel/working_in.hpp"

namespace fmap::actors {

caf::behavior node::make_behavior() {
  return {
      // It was just spawned.
      [this](wake) {
        lived_ = true;
        const working_in here{
            box_.get()};  // it completes futures, whose callbacks must not wait for the pool
        try {
          stub{box_, commons_}.live();
        } catch (...) {
          supervisor_port port{*box_};
          port.never_came();
          if (port.start_failed(commons_->settings.restarts, commons_->proven))
            pool_port{*box_}.break_up(std::current_exception());
        }
        quit();
      },
  };
}

void node::on_exit() {
  if (!lived_) supervisor_port{*box_}.never_came();
  box_.reset();
}

}  // namespace fmap::actors
