// SPDX-License-Identifier: BSD-3-Clause
// What the exit status says.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "tool/launch/job.hpp"

namespace fmap::tool {

/// --exit: what the status of a run with failed items is.
enum class exit_rule { fixed, count, first, max };

/// How a run went. Deaths by a signal are not among it: fmap then dies of the same one.
struct tally {
  std::uint64_t ended = 0;
  std::uint64_t failed = 0;
  bool broken = false;        // fmap itself could not go on: it could not read or write
  int start_error = 0;        // why the command could not be run, as errno
  bool stopped = false;       // not every item was run
  bool stopped_well = false;  // --halt ...,success= was met
  int first = 0;              // the status of the first that failed
  int largest = 0;            // and the largest of all
};

/// The status of one that failed, as a shell has it.
inline int status_of(const ending& e) {
  if (e.timed_out) return 124;
  if (e.how == ending::kind::exited) return e.code;
  if (e.how == ending::kind::signalled) return 128 + e.code;
  return 126;
}

inline int exit_status(const tally& t, exit_rule rule = exit_rule::fixed) {
  if (t.broken) return 125;
  if (t.start_error != 0) return t.start_error == ENOENT ? 127 : 126;
  if (t.stopped_well) return 0;
  if (t.stopped) return 124;
  if (t.failed == 0) return 0;
  switch (rule) {
    case exit_rule::count: return static_cast<int>(std::min<std::uint64_t>(t.failed, 101));
    case exit_rule::first: return t.first;
    case exit_rule::max: return t.largest;
    case exit_rule::fixed: break;
  }
  return 123;
}

}  // namespace fmap::tool
