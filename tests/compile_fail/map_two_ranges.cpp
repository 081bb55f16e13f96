// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: a future_map has one range.*pool\.map\(fn, xs, ys\)
#include <vector>

#include <fmap/fmap.hpp>

int add(int x, int y) { return x + y; }

void use(fmap::thread_pool& pool, std::vector<int>& xs) {
  for (int z : fmap::future_map{pool, add, xs, xs}) static_cast<void>(z);
}
