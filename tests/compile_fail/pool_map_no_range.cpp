// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: map\(\) takes a function and then one or more ranges
#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(fmap::thread_pool& pool) {
  for (int y : pool.map(square, 42)) static_cast<void>(y);
}
