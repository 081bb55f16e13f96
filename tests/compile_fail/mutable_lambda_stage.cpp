// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the function is called by several threads at once and may not change itself.*with_state
#include <fmap/stage.hpp>

void use(caf::actor_system& system) {
  fmap::spawn_stage<int, int>(system, [n = 0](int x) mutable { return n += x; });
}
