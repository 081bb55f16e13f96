// SPDX-License-Identifier: BSD-3-Clause
// Maps with a bar: the same results, and a closing line that tells how it went.
#include <cstdio>
#include <cstdlib>
#include <list>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmap/fmap.hpp>
#include <fmap/progress.hpp>

#include "support/catch.hpp"
#include "support/memory_file.hpp"

using testing::memory_file;

namespace {

constexpr auto twice = [](int x) { return 2 * x; };
constexpr auto no_sevens = [](int x) { return x % 10 == 7 ? throw std::runtime_error{"7"} : x; };

}  // namespace

TEST_CASE("progress: a map has the same results, and its size is known") {
  fmap::thread_pool pool{2};
  memory_file file;
  fmap::future_map m{pool, twice, std::views::iota(0, 1000), 16};
  CHECK_FALSE(m.stats().total);
  CHECK(m.stats().workers == 2);
  long sum = 0;
  for (int& r : fmap::progress(m, {.label = "twice", .to = file.file()})) sum += r;
  CHECK(sum == 999'000);
  CHECK(m.stats().total == 1000u);
  CHECK_THAT(file.text(), Catch::StartsWith("twice  1000/1000 items  ") && Catch::EndsWith("\n"));
}

TEST_CASE("progress: outcomes, and what they are counted as") {
  fmap::thread_pool pool{2};
  memory_file file;
  fmap::future_map m{pool, no_sevens, std::views::iota(0, 100)};
  int failed = 0;
  for (auto& o : fmap::progress(m.outcomes(), {.unit = "files", .to = file.file()})) failed += !o;
  CHECK(failed == 10);
  CHECK_THAT(file.text(), Catch::StartsWith("100/100 files  ") && Catch::Contains("  10 failed  "));
}

TEST_CASE("progress: a map that is moved in") {
  fmap::thread_pool pool{2};
  memory_file file;
  int count = 0;
  for (const int x :
       fmap::progress(fmap::future_map{pool, twice, std::views::iota(0, 50)}, {.to = file.file()}))
    count += x >= 0;
  for (auto& o : fmap::progress(fmap::future_map{pool, twice, std::list{1, 2}}.outcomes(),
                                {.to = file.file()}))
    count += o.has_value();
  CHECK(count == 52);
  CHECK_THAT(file.text(), Catch::Contains("50/50 items") && Catch::Contains("2/2 items"));
}

TEST_CASE("progress: a loop that is left, or that throws, says so") {
  fmap::thread_pool pool{2};
  memory_file file;
  {
    fmap::future_map m{pool, twice, std::views::iota(0)};
    CHECK_FALSE(m.stats().total);
    for (const int x : fmap::progress(m, {.label = "left", .to = file.file()}))
      if (x == 10) break;
  }
  fmap::future_map m{pool, no_sevens, std::views::iota(0, 100), {.ordered = true}};
  CHECK_THROWS_WITH(
      [&] {
        for (const int x : fmap::progress(m, {.label = "thrown", .to = file.file()})) CHECK(x < 7);
      }(),
      "7");
  CHECK_THAT(file.text(),
             Catch::Contains("left  stopped at ") && Catch::Contains("thrown  stopped at "));
}

TEST_CASE("progress: an empty input, and several ranges") {
  fmap::thread_pool pool{2};
  memory_file file;
  fmap::future_map m{pool, twice, std::vector<int>{}};
  for (const int x : fmap::progress(m, {.to = file.file()})) FAIL(x);
  CHECK_THAT(file.text(), Catch::StartsWith("0 items  "));
  const std::vector<int> a{1, 2, 3}, b{4, 5};
  auto sums = pool.map([](int x, int y) { return x + y; }, a, b);
  int sum = 0;
  for (const int x : fmap::progress(sums, {.to = file.file()})) sum += x;
  CHECK(sums.stats().total == 2u);
  CHECK(sum == 12);
}

TEST_CASE("progress: a map without a pool, and a bar without a loop of its own") {
  fmap::thread_pool pool{2};
  memory_file file;
  fmap::future_map m{[&](int x) { return pool.submit(twice, x); }, std::views::iota(0, 20), 4};
  CHECK(m.stats().workers == 0);
  {
    const fmap::progress_bar bar{m, {.label = "bar", .to = file.file()}};
    int sum = 0;
    for (const int x : m) sum += x;
    CHECK(sum == 380);
  }
  CHECK_THAT(file.text(), Catch::StartsWith("bar  20/20 items  "));
}
