// SPDX-License-Identifier: BSD-3-Clause
// Why a worker does not answer, and what it takes, as /proc tells.
#pragma once

#include <cstdint>
#include <string_view>

#include <sys/types.h>

namespace fmap::tool {

/// Whether it waits in read(0), or one that it has started does.
bool sleeps_in_read(pid_t process);

/// The bytes of memory that it holds; 0 if nobody knows.
std::uint64_t memory_of(pid_t process);

inline constexpr std::string_view flush_advice =
    "What helps: perl -e '$|=1', python -u, awk with fflush(), mawk -W interactive, sed -u, "
    "jq --unbuffered, grep --line-buffered";

}  // namespace fmap::tool
