// SPDX-License-Identifier: BSD-3-Clause
// A worker process of this machine: started, watched, ended.
#pragma once

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include <sys/types.h>

#include <fmap/errors.hpp>

#include "actors/node/standard_streams.hpp"

namespace fmap::actors {

/// What a worker process is told on its command line: `--fmap-worker=SOCKET,RECORDER`, descriptors.
inline constexpr const char worker_flag[] = "--fmap-worker=";

/// A worker process that has not begun any item ends with this when it cannot have the threads that it needs.
inline constexpr int no_resources = 75;

/// Often sent to all processes of a group. The pool's process acts upon them, and its workers end with it.
inline constexpr int signals_for_the_parent[] = {SIGINT, SIGTERM, SIGHUP};

/// Another process that runs this program's executable. It inherits standard output and error and the two
/// descriptors, and nothing else; its standard input is /dev/null, and so are the others if they are closed here.
/// Not thread-safe.
class child_process {
public:
  /// `environment` is all of it. Throws std::system_error.
  child_process(int socket, int recorder, const std::vector<std::string>& environment,
                const standard_streams&);

  /// Kills it if it lives, and waits for its end.
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t pid() const noexcept { return pid_; }

  /// Readable once it has ended; -1 where the kernel does not offer that.
  int end_fd() const noexcept { return end_fd_; }

  void kill() noexcept;

  /// The same for a process that may be about to end by itself: it gets a moment for that.
  void kill_if_alive(std::chrono::milliseconds moment = std::chrono::milliseconds{50}) noexcept;

  /// Sends it SIGTERM.
  void terminate() noexcept;

  /// Waits for its end and tells how it came.
  worker_death reap();

private:
  void signal(int) noexcept;

  pid_t pid_ = -1;
  int end_fd_ = -1;
  bool killed_ = false, reaped_ = false;
};

}  // namespace fmap::actors
