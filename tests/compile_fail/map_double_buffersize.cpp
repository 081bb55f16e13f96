// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: buffersize is a whole number
#include <vector>

#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(fmap::thread_pool& pool, std::vector<int>& xs) {
  fmap::future_map map{pool, square, xs, 4.0};
}
