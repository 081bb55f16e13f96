// SPDX-License-Identifier: BSD-3-Clause
// How a program that was started as a node comes to be one.
#pragma once

#include <fmap/detail/api.hpp>

namespace fmap::detail {

using node_main = void (*)(int argc, char** argv);

/// Has fmap::init call this in a program that was started with --fmap-node. Returns true.
FMAP_API bool set_node_main(node_main) noexcept;

/// Serves a pool. Part of fmap::nodes; never returns.
FMAP_API void run_node(int argc, char** argv);

}  // namespace fmap::detail
