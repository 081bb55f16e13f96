// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: in spawn_stage<In, Out> the function cannot be called with an In
#include <fmap/stage.hpp>

int length(int& x) { return x; }

void use(caf::actor_system& system) { fmap::spawn_stage<int, int>(system, length); }
