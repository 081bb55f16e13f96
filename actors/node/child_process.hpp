// SPDX-License-Identifier: BSD-3-Clause
// A worker process of this machine: started, watched, ended.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include <fmap/errors.hpp>

namespace fmap::actors {

/// What a worker process is told on its command line: `--fmap-worker=SOCKET,RECORDER`, descriptors.
inline constexpr const char worker_flag[] = "--fmap-worker=";

/// Another process that runs this program's executable. It inherits standard input, output and error and
/// the two descriptors, and nothing else. Not thread-safe.
class child_process {
public:
  /// `environment` is added to this process'. Throws std::system_error.
  child_process(int socket, int recorder, const std::vector<std::string>& environment);

  /// Kills it if it lives, and waits for its end.
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t pid() const noexcept { return pid_; }

  /// Readable once it has ended; -1 where the kernel does not offer that.
  int end_fd() const noexcept { return end_fd_; }

  void kill() noexcept;

  /// The same for a process that may be about to end by itself: it gets a moment for that.
  void kill_if_alive() noexcept;

  /// Waits for its end and tells how it came.
  worker_death reap();

private:
  pid_t pid_ = -1;
  int end_fd_ = -1;
  bool killed_ = false, reaped_ = false;
};

}  // namespace fmap::actors
