// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the first argument is not a pool
#include <string>
#include <vector>

#include <fmap/fmap.hpp>

int square(int x) { return x * x; }

void use(std::string& not_a_pool, std::vector<int>& xs) {
  fmap::future_map map{not_a_pool, square, xs, 2};
}
