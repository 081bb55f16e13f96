// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the pool is a temporary
#include <vector>

#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(std::vector<int>& xs) {
  for (int y : fmap::future_map{fmap::thread_pool{2}, square, xs, 4}) static_cast<void>(y);
}
