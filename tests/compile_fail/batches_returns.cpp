// SPDX-License-Identifier: BSD-3-Clause
// expect: fmap: on_batches: the function must return void
#include <span>
#include <vector>

#include <fmap/fmap.hpp>

void use(fmap::thread_pool& pool, std::vector<int>& xs) {
  fmap::future_map map{pool, fmap::on_batches([&pool](std::span<const int>, fmap::delivery<int>) {
                         return pool.submit([] { return 1; });
                       }),
                       xs};
}
