// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the function is called by several threads at once and may not change itself.*with_state
#include <future>
#include <vector>

#include <fmap/fmap.hpp>

void use(std::vector<int>& xs) {
  fmap::future_map map{[n = 0](int x) mutable { return std::async([x, &n] { return n += x; }); },
                       xs};
}
