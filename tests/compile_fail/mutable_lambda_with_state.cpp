// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the function is called by several threads at once and may not change itself.*with_state
#include <vector>

#include <fmap/fmap.hpp>

void use(fmap::thread_pool& pool, std::vector<int>& xs) {
  fmap::future_map map{
      pool,
      fmap::with_state([] { return 0; }, [n = 0](int& s, int x) mutable { return n += s += x; }),
      xs};
}
