// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the submitted function cannot be called with these arguments
#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

int use(fmap::thread_pool& pool) { return pool.submit(square, 1, 2).get(); }
