// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: there is no range. Nothing is piped into a map
#include <vector>

#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(fmap::thread_pool& pool, std::vector<int>& xs) {
  for (int y : xs | fmap::future_map(pool, square)) static_cast<void>(y);
}
