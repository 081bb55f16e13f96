// SPDX-License-Identifier: BSD-3-Clause
// --jsonl: a line for each item.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tool/launch/job.hpp"

namespace fmap::tool {

struct job_output {
  std::string out, err;
};

/// The line of a job that has ended; with its output, if there is one.
std::string json_line(const job& j, const std::optional<job_output>& output);

/// The line of an item of the job that is given up. `error_tail`: the last it wrote on its standard error.
std::string quarantine_line(const job& j, const item& i, const ending& e,
                            std::string_view error_tail);

}  // namespace fmap::tool
