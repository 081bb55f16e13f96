// SPDX-License-Identifier: BSD-3-Clause
// What commands get of our own: environment and limits.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sys/resource.h>

namespace fmap::tool {

/// The caller's environment, and what is the same for all commands of what fmap tells them.
std::vector<std::string> job_environment(std::size_t jobs);

/// `variable`: NAME=VALUE, in place of what there is of that name.
void set_variable(std::vector<std::string>& environment, const std::string& variable);

/// Each job that runs needs a few descriptors. Our limit is raised for that; jobs get the old one, which is returned.
/// Throws usage_error if there cannot be so many.
std::optional<rlimit> raise_limit(std::size_t jobs);

/// How many jobs there are descriptors for.
std::size_t most_jobs();

}  // namespace fmap::tool
