// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: there is no range
#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(fmap::thread_pool& pool) { fmap::future_map map(pool, square); }
