// SPDX-License-Identifier: BSD-3-Clause
// --dry-run.
#pragma once

#include <string>
#include <vector>

#include "tool/command/command.hpp"
#include "tool/input/items.hpp"

namespace fmap::tool {

/// Prints the commands, so that a shell reads them back, in place of running them. Returns the exit status.
int print_commands(item_reader& from, const command& what);

/// The same for one that stays.
int print_command(const std::vector<std::string>& words);

}  // namespace fmap::tool
