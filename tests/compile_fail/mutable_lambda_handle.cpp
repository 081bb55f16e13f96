// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the function is called by several threads at once and may not change itself.*with_state
#include <fmap/actor.hpp>

void use(fmap::thread_pool& pool) {
  pool.handle<int>([n = 0](int x) mutable { return n += x; });
}
