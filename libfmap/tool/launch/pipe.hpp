// SPDX-License-Identifier: BSD-3-Clause
// Pipes to and from commands.
#pragma once

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace fmap::tool {

inline void close_if_open(int& end) {
  if (end >= 0) ::close(std::exchange(end, -1));
}

/// A pipe both of whose ends are closed when something is exec'ed; ours does not block. What went wrong, as errno.
inline int make_pipe(int& ours, int& theirs, bool we_write) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return errno;
  ours = ends[we_write ? 1 : 0];
  theirs = ends[we_write ? 0 : 1];
  ::fcntl(ours, F_SETFL, O_NONBLOCK);
  return 0;
}

}  // namespace fmap::tool
