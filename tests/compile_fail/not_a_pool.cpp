// SPDX-License-Identifier: BSD-3-Clause
// expect: pool_like
#include <string>
#include <vector>

#include <fmap/fmap.hpp>

int same(int x) { return x; }

void use(std::string& not_a_pool) { fmap::future_map map{not_a_pool, same, std::vector{1, 2}, 2}; }
