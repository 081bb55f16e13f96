// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: a list in braces has no type
#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(fmap::thread_pool& pool) {
  for (int y : pool.map(square, {1, 2, 3})) static_cast<void>(y);
}
