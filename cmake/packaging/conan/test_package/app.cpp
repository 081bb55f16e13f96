// SPDX-License-Identifier: BSD-3-Clause
// A user's program.
#include <ranges>

#include <fmap/fmap.hpp>

int main() {
  fmap::thread_pool pool{2};
  int sum = 0;
  for (int x : fmap::future_map(
           pool, [](int x) { return 2 * x; }, std::views::iota(0, 10), 4))
    sum += x;
  return sum != 90;
}
