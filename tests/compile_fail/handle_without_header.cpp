// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: pool\.handle<In>\(fn\) makes an actor: include <fmap/actor\.hpp>
#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(fmap::thread_pool& pool) { pool.handle<int>(square); }
