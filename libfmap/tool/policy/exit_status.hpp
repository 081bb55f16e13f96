// SPDX-License-Identifier: BSD-3-Clause
// What the exit status says.
#pragma once

#include <cerrno>
#include <cstdint>

namespace fmap::tool {

/// How a run went. Deaths by a signal are not among it: fmap then dies of the same one.
struct tally {
  std::uint64_t ended = 0;
  std::uint64_t failed = 0;
  bool broken = false;  // fmap itself could not go on: it could not read or write
  int start_error = 0;  // why the command could not be run, as errno
};

inline int exit_status(const tally& t) {
  if (t.broken) return 125;
  if (t.start_error != 0) return t.start_error == ENOENT ? 127 : 126;
  return t.failed != 0 ? 123 : 0;
}

}  // namespace fmap::tool
