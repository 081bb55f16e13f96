// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: what actors send each other must be copyable
#include <memory>

#include <fmap/stage.hpp>

void use(caf::actor_system& system) {
  fmap::spawn_stage<std::unique_ptr<int>, int>(system, [](std::unique_ptr<int> p) { return *p; });
}
