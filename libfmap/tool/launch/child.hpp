// SPDX-License-Identifier: BSD-3-Clause
// The start of one process.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/types.h>

#include "tool/launch/guard.hpp"
#include "tool/launch/surroundings.hpp"

namespace fmap::tool {

struct child_options {
  const std::vector<std::string>* arguments = nullptr;
  const std::vector<std::string>* environment = nullptr;
  int in = -1;
  int out = -1;  // -1: ours
  int err = -1;
  bool dies_with_us = true;                          // with the thread that starts it
  guard::seat* seat = nullptr;                       // where its group is noted before it runs
  const rlimit* files = nullptr;                     // its limit of descriptors; null: ours
  const child_surroundings* surroundings = nullptr;  // null: as ours
  const char* folder = nullptr;                      // that it starts in; null: ours
  bool own_group = true;
};

struct started {
  pid_t process = -1;
  int error = 0;  // why there is none
};

/// Starts a process in a group of its own, with an empty signal mask and SIGPIPE as it is by default.
/// All signals should be blocked in this thread.
started start(const child_options& o);

}  // namespace fmap::tool
