// SPDX-License-Identifier: BSD-3-Clause
// What a worker process does instead of the program's main.
#pragma once

#include "src/remote/worker_process.hpp"

namespace fmap::remote {

/// Serves the pool at the other end of the socket until that is gone. Never returns.
[[noreturn]] void worker_main(int socket, int recorder, make_threads);

}  // namespace fmap::remote
