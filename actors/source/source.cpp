// SPDX-License-Identifier: BSD-3-Clause
// The source: pulls a run's input against demand.

#include "actors/source/source.hpp"

#include <fmap/errors.hpp>

#include "src/kernel/working_in.hpp"

namespace fmap::actors {

caf::behavior source::make_behavior() {
  return {
      // Tokens came back, or the run is over.
      [this](demand) {
        const working_in here{box_.get()};  // the input must not wait for the end of the pool
        if (source_port{*box_}.pull(*run_) == pulled::over) quit();
      },
  };
}

// Also when it was ended by an exit message: the run must not wait for it.
void source::on_exit() {
  source_port{*box_}.detach(*run_,
                            std::make_exception_ptr(error{"fmap: the map's source was ended"}));
  run_.reset();
  box_.reset();
}

}  // namespace fmap::actors
