// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the function is called by several threads at once and may not change itself.*with_state
#include <vector>

#include <fmap/fmap.hpp>

void use(fmap::thread_pool& pool, std::vector<int>& xs) {
  fmap::future_map map{pool, [n = 0](int x) mutable { return n += x; }, xs};
}
