// SPDX-License-Identifier: BSD-3-Clause
// What a worker process does instead of the program's main.
#pragma once

namespace fmap::actors {

/// Serves the pool at the other end of the socket until that is gone. Never returns.
[[noreturn]] void node_main(int socket, int recorder);

}  // namespace fmap::actors
