// SPDX-License-Identifier: BSD-3-Clause
// expect: the elements of this range cannot be copied into items
#include <memory>
#include <vector>

#include <fmap/fmap.hpp>

int value(std::unique_ptr<int> p) { return *p; }

void use(fmap::thread_pool& pool, std::vector<std::unique_ptr<int>>& items) {
  fmap::future_map map{pool, value, items, 2};
}
