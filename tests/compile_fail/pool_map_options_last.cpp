// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the options come first
#include <vector>

#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(fmap::thread_pool& pool, std::vector<int>& xs) {
  for (int y : pool.map(square, xs, fmap::map_options{})) static_cast<void>(y);
}
