// SPDX-License-Identifier: BSD-3-Clause
// A process of this machine that was started by this one.
#pragma once

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include <fmap/errors.hpp>

#include "src/core/standard_streams.hpp"

namespace fmap::remote {

/// Often sent to all processes of a group. The pool's process acts upon them, and its workers end with it.
inline constexpr int signals_for_the_parent[] = {SIGINT, SIGTERM, SIGHUP};

/// What to start, and how. It inherits standard output and error and the descriptors that it is given, and nothing
/// else; what is not given of 0, and of 1 and 2 where they are closed here, is /dev/null.
struct launch {
  std::string path;
  std::vector<std::string> arguments;            // with its name
  const std::vector<std::string>& environment;   // all of it
  std::vector<std::pair<int, int>> descriptors;  // here, and there, in order
  bool own_group =
      false;  // signals of the terminal are not for it; it is ended with all that it has started
  std::vector<int> blocked{};  // signals that it finds blocked
};

/// Collected at the latest by the destructor, which kills it if it lives. Not thread-safe.
class spawned_process {
public:
  /// Throws std::system_error.
  spawned_process(const launch&, detail::standard_streams&);
  ~spawned_process();
  spawned_process(const spawned_process&) = delete;
  spawned_process& operator=(const spawned_process&) = delete;

  pid_t pid() const noexcept { return pid_; }

  /// Readable once it has ended; -1 where the kernel does not offer that.
  int end_fd() const noexcept { return end_fd_; }

  void kill() noexcept;

  /// Sends it SIGTERM.
  void terminate() noexcept;

  /// Waits for its end and tells how it came.
  worker_death reap();

private:
  void signal(int) noexcept;
  void end_group() noexcept;

  const bool own_group_;
  pid_t pid_ = -1;
  int end_fd_ = -1;
  bool killed_ = false, reaped_ = false;
};

}  // namespace fmap::remote
