// SPDX-License-Identifier: BSD-3-Clause
// The first call of a program that uses fmap.
#pragma once

#include <fmap/detail/api.hpp>

namespace fmap {

/// To be called first in `main`. In a worker process, or on a node, it starts the work and never returns; in any other
/// process it returns at once. Programs that only use threads may leave it out.
FMAP_API void init(int argc, char** argv);

}  // namespace fmap
