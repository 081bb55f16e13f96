// SPDX-License-Identifier: BSD-3-Clause
// A map that is made in a file that does not know journals.
#include "library/journal_elsewhere.hpp"

#include <ranges>

#include <fmap/future_map.hpp>

void map_elsewhere(fmap::thread_pool& pool, const fmap::map_options& options) {
  fmap::future_map{pool, [](int x) { return x; }, std::views::iota(0, 3), options};
}
