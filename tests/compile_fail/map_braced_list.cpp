// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: a list in braces has no type
#include <vector>

#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(fmap::thread_pool& pool, std::vector<int>& xs) {
  for (int y : fmap::future_map{pool, square, {1, 2, 3}, xs.size()}) static_cast<void>(y);
}
