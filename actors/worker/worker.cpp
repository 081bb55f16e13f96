// SPDX-License-Identifier: BSD-3-Clause
// The worker: applies functions to batches, as long as there are any.

#include "actors/worker/worker.hpp"

#include "actors/actor_bell.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/kernel/supervisor_port.hpp"
#include "src/kernel/worker_port.hpp"

namespace fmap::actors {

caf::behavior worker_actor::make_behavior() {
  return {
      // There may be a batch; the first time, it was just spawned.
      [this](wake) {
        if (!helper_) start();
        const helping here{*helper_};
        if (!worker_port{*box_}.work(place_)) quit();
      },
  };
}

void worker_actor::start() {
  helper_.emplace(box_);
  const working_in inside{box_.get()};
  place_.supervised = true;
  worker_port{*box_}.join(place_, std::make_shared<actor_bell<wake>>(caf::actor{this}));
  try {
    if (initializer_) initializer_();
  } catch (...) {
    pool_port{*box_}.break_up(std::current_exception());
  }
}

void worker_actor::on_exit() {
  const bool joined = helper_.has_value();
  helper_.reset();
  if (joined)
    worker_port{*box_}.leave(place_);
  else
    supervisor_port{*box_}.never_came();
  box_.reset();
}

}  // namespace fmap::actors
