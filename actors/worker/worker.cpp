// SPDX-License-Identifier: BSD-3-Clause
// The worker: applies functions to batches, as long as there are any.

#include "actors/worker/worker.hpp"

#include "actors/actor_bell.hpp"

namespace fmap::actors {

caf::behavior worker_actor::make_behavior() {
  return {
      // There may be a batch; the first time, it was just spawned.
      [this](wake) {
        if (!started_) start();
        if (!box_->work(place_)) quit();
      },
  };
}

void worker_actor::start() {
  started_ = true;
  box_->join(place_, std::make_shared<actor_bell<wake>>(caf::actor{this}));
  try {
    if (initializer_) initializer_();
  } catch (...) {
    box_->break_up(std::current_exception());
  }
}

void worker_actor::on_exit() {
  box_->leave(place_);
  box_.reset();
}

}  // namespace fmap::actors
