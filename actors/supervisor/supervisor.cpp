// SPDX-License-Identifier: BSD-3-Clause
// The supervisor: starts a pool's workers and keeps its shared mailbox moving.

#include "actors/supervisor/supervisor.hpp"

#include <fmap/errors.hpp>

namespace fmap::actors {

caf::behavior supervisor::make_behavior() {
  return {
      // The mailbox has something to be done.
      [this](wake) {
        const auto duties = supervisor_port{*box_}.take_duties();
        for (std::uint32_t i = 0; i != duties.start; ++i) start_worker();
        if (duties.tick) tick_after(tuning::tick);
        if (duties.adapt) {
          idle_.look(clock::now());
          look_after(tuning::adapt_look);
        }
        if (duties.quit) quit();
      },
      // Something has been withheld for a while.
      [this](tick t) {
        if (t.number != last_tick_) return;
        const auto next = supervisor_port{*box_}.tick();
        if (next.count() != 0) tick_after(next);
      },
      // Items wait, or there are more workers than at rest.
      [this](adapt a) {
        if (a.number != last_look_) return;
        const auto next = supervisor_port{*box_}.adapt(idle_.look(clock::now()));
        if (next.count() != 0) look_after(next);
      },
  };
}

/// A worker that could not be started has told the mailbox already that it never came.
void supervisor::start_worker() {
  try {
    post(spawn_worker_(), wake{});
  } catch (...) {
    if (supervisor_port{*box_}.start_failed(tuning::starts_in_vain))
      give_up_(std::current_exception());
  }
}

void supervisor::tick_after(std::chrono::microseconds delay) {
  post_later(this, delay, tick{++last_tick_});
}

void supervisor::look_after(clock::duration delay) {
  post_later(this, std::chrono::duration_cast<std::chrono::microseconds>(delay),
             adapt{++last_look_});
}

// When it was ended by an exit message, nobody would start workers any more: the pool is broken.
void supervisor::on_exit() {
  supervisor_port{*box_}.supervisor_gone(
      std::make_exception_ptr(error{"fmap: the pool's supervisor was ended by an exit message"}));
  spawn_worker_ = nullptr;
  give_up_ = nullptr;
  box_.reset();
}

}  // namespace fmap::actors
