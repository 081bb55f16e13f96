// SPDX-License-Identifier: BSD-3-Clause
// What the tick does, or somebody who comes by for it: it sets free what has been withheld for too long.
#pragma once

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

/// True: there is more that will have waited long enough soon.
bool release_withheld(visit&, clock::time_point now);

/// Does the tick's work for it, if it has not been done for a while.
void tick_in_passing(visit&, clock::time_point now);

}  // namespace fmap::kernel
