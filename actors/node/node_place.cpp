// SPDX-License-Identifier: BSD-3-Clause
// An actor for one place of a node_pool.

#include "actors/node/node_place.hpp"

#include "src/kernel/pool_port.hpp"
#include "src/kernel/supervisor_port.hpp"
#include "src/kernel/working_in.hpp"

namespace fmap::actors {

caf::behavior node_place::make_behavior() {
  return {
      // It was just spawned.
      [this](wake) {
        const working_in here{
            box_.get()};  // it completes futures, whose callbacks must not wait for the pool
        try {
          serve_();
        } catch (...) {
          pool_port{*box_}.break_up(std::current_exception());
        }
        quit();
      },
  };
}

void node_place::on_exit() {
  serve_ = nullptr;
  supervisor_port{*box_}.remove_worker();
  box_.reset();
}

}  // namespace fmap::actors
