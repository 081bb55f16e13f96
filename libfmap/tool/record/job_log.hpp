// SPDX-License-Identifier: BSD-3-Clause
// The job log: parallel's columns, separated by tabs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tool/launch/job.hpp"

namespace fmap::tool {

inline constexpr std::string_view job_log_title =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/// The line of a job that has ended. `command`: what it is to be called, if not by the words that were run.
std::string job_log_line(const job& j, const std::optional<std::string>& command = {});

/// What a log says of a command.
struct logged {
  int status = 0;
  int signal = 0;
  std::string command;

  bool failed() const { return status != 0 || signal != 0; }
};

/// By number; of several lines for a number the last counts. Lines that are torn are passed over.
std::map<std::uint64_t, logged> read_job_log(std::string_view text);

}  // namespace fmap::tool
