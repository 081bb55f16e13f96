// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: on_batches: the function is called with a std::span<Item>
#include <span>
#include <string>
#include <vector>

#include <fmap/fmap.hpp>

void use(fmap::thread_pool& pool, std::vector<int>& xs) {
  fmap::future_map map{
      pool, fmap::on_batches([](std::span<const std::string>, fmap::delivery<int>) {}), xs};
}
