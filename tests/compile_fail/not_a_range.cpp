// SPDX-License-Identifier: BSD-3-Clause
// expect: (input_range|ranges::begin)
#include <fmap/fmap.hpp>

int same(int x) { return x; }

void use(fmap::thread_pool& pool) { fmap::future_map map{pool, same, 42, 2}; }
