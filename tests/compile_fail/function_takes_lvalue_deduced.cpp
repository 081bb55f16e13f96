// SPDX-License-Identifier: BSD-3-Clause
// expect: the function cannot be called with an item of this range as an rvalue
#include <fmap/fmap.hpp>

int increment(int& x) { return ++x; }

void use(fmap::thread_pool& pool) { fmap::future_map map{pool, increment, std::vector{1, 2}, 2}; }
