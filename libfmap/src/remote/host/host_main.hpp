// SPDX-License-Identifier: BSD-3-Clause
// What a node does instead of the program's main.
#pragma once

#include "src/remote/host/agent.hpp"

namespace fmap::remote {

/// Serves the pool at the other end of standard input and output until that is gone, or calls pools one after the other.
/// The arguments are the program's. Never returns.
[[noreturn]] void host_main(int argc, char** argv, const make_processes&);

}  // namespace fmap::remote
