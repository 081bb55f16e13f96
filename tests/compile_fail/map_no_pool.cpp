// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: there is no pool, and the function returns no future
#include <vector>

#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(std::vector<int>& xs) {
  for (int y : fmap::future_map{square, xs, 4}) static_cast<void>(y);
}
