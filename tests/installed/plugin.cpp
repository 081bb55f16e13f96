// SPDX-License-Identifier: BSD-3-Clause
// A user's plugin: a shared object that carries fmap.
#include <ranges>

#include <fmap/fmap.hpp>

extern "C" __attribute__((visibility("default"))) int sum_of_squares(int n) {
  fmap::thread_pool pool{2};
  int sum = 0;
  for (int x : fmap::future_map(
           pool, [](int x) { return x * x; }, std::views::iota(1, n + 1), 8))
    sum += x;
  return sum;
}
