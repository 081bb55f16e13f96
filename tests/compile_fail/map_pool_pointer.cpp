// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: this is a pointer to a pool: write future_map\{\*pool
#include <memory>
#include <vector>

#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(std::unique_ptr<fmap::thread_pool> pool, std::vector<int>& xs) {
  fmap::future_map map{pool, square, xs, {.buffersize = 4}};
}
