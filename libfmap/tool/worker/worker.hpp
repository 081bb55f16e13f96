// SPDX-License-Identifier: BSD-3-Clause
// One command that stays: what the thread of the co-processes knows of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

#include "tool/launch/ladder.hpp"
#include "tool/worker/protocol.hpp"

namespace fmap::tool {

/// How long nothing comes of a worker before it is looked at.
inline constexpr std::chrono::seconds stall_pause{1};

struct worker {
  explicit worker(const protocol& p) : says{p} {}

  std::uint64_t number = 0;
  std::size_t slot = 0;
  pid_t process = -1;
  int handle = -1;  // a pidfd
  int in = -1, out = -1, err = -1;
  bool watches_in = false;

  protocol says;
  std::string to_write;
  std::size_t written = 0;
  bool ready = false;
  bool retired = false;   // its input ends behind what it has been given
  bool replaced = false;  // and another one has its slot
  std::size_t given = 0;
  std::size_t open_bytes = 0;
  double seconds_each = 0;  // that an answer takes, of late; 0: nobody knows
  std::string last_answered;

  bool reaped = false;
  int status = 0;
  bool timed_out = false;
  bool cut_off = false;    // it was ended because the run was
  std::string broke;       // the protocol, and how
  std::string error_line;  // that has begun
  std::string error_tail;
  ladder end_it;
  clock::time_point began;
  clock::time_point since;  // the first open item is the first
  clock::time_point last_sign;
};

}  // namespace fmap::tool
