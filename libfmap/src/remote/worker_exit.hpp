// SPDX-License-Identifier: BSD-3-Clause
// How a worker process ends.
#pragma once

namespace fmap::remote {

/// A worker process that has not begun any item ends with this when it cannot have the threads that it needs.
inline constexpr int no_resources = 75;

/// What has been printed is written; nothing else is cleaned up, as other threads still run.
[[noreturn]] void exit_in_order();

}  // namespace fmap::remote
