// SPDX-License-Identifier: BSD-3-Clause
// A command that runs for an item: what the launcher, the outputs and the consumer know of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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
    lost,         // by its worker: `why` says how
    skipped,      // it was not begun, because the run had ended
  };
  kind how = kind::skipped;
  int code = 0;
  bool timed_out = false;
  bool output_closed = false;  // it wrote where nobody reads any more
  std::string why;
  bool cut_off = false;  // it was ended because the run was
};

/// True for what counts as a failure of the item.
inline bool failed(const ending& e) {
  return e.how != ending::kind::skipped
         && (e.how != ending::kind::exited || e.code != 0 || e.timed_out);
}

/// The last try of a command: when it ran and what it took.
struct usage {
  std::chrono::system_clock::time_point started;
  std::chrono::nanoseconds wall{0};
  std::chrono::nanoseconds user{0};
  std::chrono::nanoseconds system{0};
  long maxrss_kb = 0;
  std::size_t slot = 0;
  unsigned attempts = 0;
  std::uint64_t sent = 0;  // bytes to its standard input
  std::vector<std::string> arguments;
};

struct job {
  explicit job(item i) : what{std::move(i)}, left{{0, many(what)}} {}

  const item what;

  // -- to be read once `outputs::next` has said that all is out --
  ending end;
  usage used;
  std::vector<std::pair<std::size_t, ending>> blamed;  // members that failed alone

  // -- of the launcher --
  using span = std::pair<std::size_t, std::size_t>;
  std::vector<span> left;  // members that are still to be run, in pieces; the next one stands last
  unsigned attempts = 0;   // begun of the piece at hand
  std::vector<int> signals{};  // that ended tries
  std::string error_tail{};    // of the worker that died over it
  bool handed = false;         // to the consumer

  // -- of `outputs`, under its mutex --
  held out;
  held err;
  held::mark out_kept, err_kept;
  bool attached = false;  // the consumer takes its output while it comes
  bool err_through =
      false;  // its standard error no longer waits for the end of its standard output
  bool ended = false;

  // -- of the consumer --
  std::uint64_t received = 0;          // bytes of standard output
  bool line_begins[2] = {true, true};  // of standard output and error
};

using job_ptr = std::shared_ptr<job>;

}  // namespace fmap::tool
