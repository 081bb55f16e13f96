// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: a task calls the function with copies.*std::ref
#include <fmap/fmap.hpp>

void increment(int& x) { ++x; }

void use(fmap::thread_pool& pool, int& x) { pool.submit(increment, x); }
