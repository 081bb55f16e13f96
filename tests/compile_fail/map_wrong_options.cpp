// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: after the range comes the buffersize, a number, or fmap::map_options
#include <vector>

#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(fmap::thread_pool& pool, std::vector<int>& xs) {
  fmap::future_map map{pool, square, xs, fmap::thread_pool_options{}};
}
