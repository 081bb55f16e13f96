// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: on_batches: nothing says what this function delivers.*fmap::delivery<Result>.*on_batches<Result>
#include <vector>

#include <fmap/fmap.hpp>

void use(fmap::thread_pool& pool, std::vector<int>& xs) {
  fmap::future_map map{
      pool, fmap::on_batches([](auto items, auto deliver) { deliver(0, items[0]); }), xs};
}
