// SPDX-License-Identifier: BSD-3-Clause
// Memory does not grow with the number of items.
#include <cstdint>
#include <ranges>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/this_process.hpp"

using namespace testing;

namespace {

/// Sends that many items through 2 * x; the growth of the peak over that of an idle pool, in KiB.
std::size_t growth(std::uint64_t items, const fmap::map_options& options) {
  fmap::thread_pool pool{2};
  for ([[maybe_unused]] int v : fmap::future_map(
           pool, [](int x) { return x; }, std::views::iota(0, 100), 4)) {}
  const std::size_t idle = peak_memory();
  std::uint64_t sum = 0, results = 0;
  for (std::uint64_t v : fmap::future_map(
           pool, [](std::uint64_t x) { return 2 * x; }, std::views::iota(std::uint64_t{0}, items),
           options)) {
    sum += v;
    ++results;
  }
  CHECK(results == items);
  CHECK(sum == items * (items - 1));
  return peak_memory() - idle;
}

constexpr std::uint64_t million = 1'000'000;
constexpr std::uint64_t many = memory_is_watched ? million : 20 * million;
constexpr std::size_t allowed = (memory_is_watched ? 320 : 32) * 1024;  // KiB

}  // namespace

TEST_CASE("20 million items take no memory") {
  CHECK(growth(many, {.buffersize = 1024}) <= allowed);
}

TEST_CASE("20 million items with the automatic buffersize take no memory") {
  CHECK(growth(many, {}) <= allowed);
}

TEST_CASE("5 million items in order take no memory") {
  CHECK(growth(many / 4, {.buffersize = 1024, .ordered = true}) <= allowed);
}

TEST_CASE("100 million items take no memory", "[.long]") {
  CHECK(growth(100 * million, {.buffersize = 1024}) <= allowed);
}
