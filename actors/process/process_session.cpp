// SPDX-License-Identifier: BSD-3-Clause
// An actor for one life of one worker process.

#include "actors/process/process_session.hpp"

#include "src/kernel/pool_port.hpp"
#include "src/kernel/supervisor_port.hpp"
#include "src/kernel/working_in.hpp"
#include "src/remote/child_process.hpp"

namespace fmap::actors {

caf::behavior process_session::make_behavior() {
  return {
      // It was just spawned.
      [this](wake) {
        lived_ = true;
        const working_in here{
            box_.get()};  // it completes futures, whose callbacks must not wait for the pool
        const remote::process_settings& settings = shared_->settings;
        try {
          remote::session{box_, shared_,
                          std::make_unique<remote::child_process>(settings.environment)}
              .live();
        } catch (...) {
          supervisor_port port{*box_};
          port.never_came();
          if (port.start_failed(settings.restarts, shared_->proven))
            pool_port{*box_}.break_up(std::current_exception());
        }
        quit();
      },
  };
}

void process_session::on_exit() {
  if (!lived_) supervisor_port{*box_}.never_came();
  box_.reset();
}

}  // namespace fmap::actors
