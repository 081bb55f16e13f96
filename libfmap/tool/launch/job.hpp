// SPDX-License-Identifier: BSD-3-Clause
// A command that runs for an item: what the launcher, the outputs and the consumer know of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tool/input/item.hpp"
#include "tool/launch/held.hpp"

namespace fmap::tool {

/// How a command ended.
struct ending {
  enum class kind {
    exited,       // `code` is its status
    signalled,    // `code` is the signal
    not_run,      // its item is no argument: `why` says so
    not_started,  // `code` is what exec failed with
    skipped,      // it was not begun, because the run had ended
  };
  kind how = kind::skipped;
  int code = 0;
  bool timed_out = false;
  bool output_closed = false;  // it wrote where nobody reads any more
  std::string why;
};

/// True for what counts as a failure of the item.
inline bool failed(const ending& e) {
  return e.how != ending::kind::skipped
         && (e.how != ending::kind::exited || e.code != 0 || e.timed_out);
}

struct job {
  explicit job(item i) : what{std::move(i)} {}

  const item what;
  ending end;  // to be read once `outputs::next` has said that all is out

  // -- of `outputs`, under its mutex --
  held out;
  held err;
  bool attached = false;  // the consumer takes its output while it comes
  bool err_through =
      false;  // its standard error no longer waits for the end of its standard output
  bool ended = false;
};

using job_ptr = std::shared_ptr<job>;

}  // namespace fmap::tool
