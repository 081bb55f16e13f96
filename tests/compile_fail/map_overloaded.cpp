// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the name of an overloaded function
#include <vector>

#include <fmap/fmap.hpp>

int square(int x) { return x * x; }
double square(double x) { return x * x; }

void use(fmap::thread_pool& pool, std::vector<int>& xs) { fmap::future_map map{pool, square, xs}; }
