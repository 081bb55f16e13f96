// SPDX-License-Identifier: BSD-3-Clause
// Maps an endless input through a function on three threads, never more than five items at a time.
#include <iostream>
#include <ranges>

#include <fmap/fmap.hpp>

long square(long x) { return x * x; }

int main(int argc, char** argv) {
  fmap::init(argc, argv);
  fmap::thread_pool pool{3};
  fmap::map_options options{.buffersize = 5, .ordered = true};  // else: as they complete
  fmap::future_map squares{pool, square, std::views::iota(1L), options};
  for (long s : squares | std::views::take(5)) std::cout << s << '\n';
  return std::cout.flush() ? 0 : 1;  // 1: they could not be written
}
