// SPDX-License-Identifier: BSD-3-Clause
// A process that runs: what the launcher's thread knows of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

#include <fmap/promise.hpp>

#include "tool/launch/job.hpp"
#include "tool/launch/ladder.hpp"
#include "tool/launch/outputs.hpp"

namespace fmap::tool {

/// A job and who waits for it.
struct order {
  job_ptr what;
  promise<job_ptr> promised;
};

struct running {
  order of;
  std::optional<item> part;  // the members that it runs for, if they are not all
  const item& runs() const { return part ? *part : of.what->what; }

  std::uint64_t serial = 0;
  std::size_t slot = 0;
  pid_t process = -1;
  bool own_group = true;
  int handle = -1;  // a pidfd
  int in = -1;      // its standard input, if it is given something
  std::shared_ptr<const std::string> input;
  std::size_t sent = 0;     // bytes of that
  int pipes[2] = {-1, -1};  // out, err
  bool refused[2] = {false, false};
  std::string lines[2];  // the begun line, where whole lines are written
  std::string last_bytes;
  bool reaped = false;
  ending end;
  ladder end_it;
  clock::time_point began;
  std::chrono::system_clock::time_point started;
  clock::time_point last_sign;  // of the last byte, or of the end of the process
  std::optional<clock::time_point> look_at_group;

  /// What a signal for it is sent to; 0: there is nothing any more.
  pid_t target() const { return own_group ? -process : reaped ? 0 : process; }

  static int at(stream_of which) { return which == stream_of::out ? 0 : 1; }
  int& pipe(stream_of which) { return pipes[at(which)]; }
  bool is_open() const { return pipes[0] >= 0 || pipes[1] >= 0; }
};

}  // namespace fmap::tool
