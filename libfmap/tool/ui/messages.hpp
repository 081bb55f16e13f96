// SPDX-License-Identifier: BSD-3-Clause
// What fmap says on standard error, a line at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tool/input/item.hpp"
#include "tool/launch/job.hpp"

namespace fmap::tool {

/// "fmap: TEXT" and a newline, in one write.
void say(std::string_view text);

/// Whole lines of somebody else.
void pass_on(std::string_view lines);

/// The command as a shell would read it.
void say_command(const std::vector<std::string>& words);

/// "1 item", "2 items".
std::string counted(std::uint64_t many, std::string_view noun);

/// An item for people: control characters as a shell's $'...' writes them, the middle of long ones left out.
std::string name_of(const item& i);

/// Control characters as a shell's $'...' writes them, the middle of long texts left out.
std::string for_people(std::string_view text);

/// The last line of what a command has printed, as for_people(); empty if there is none.
std::string last_line(std::string_view bytes);

/// Why it counts as failed: "exit 3", "killed by SIGKILL".
std::string reason(const ending& e);

}  // namespace fmap::tool
