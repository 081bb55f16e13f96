// SPDX-License-Identifier: BSD-3-Clause
// What a map is: results as they complete, an input range, movable, and safe to leave.
#include <atomic>
#include <iterator>
#include <memory>
#include <ranges>
#include <type_traits>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"

using namespace testing;

namespace {

int twice(int x) { return 2 * x; }

}  // namespace

static_assert(std::ranges::input_range<fmap::future_map<int>>);
static_assert(std::movable<fmap::future_map<int>>);
static_assert(!std::copyable<fmap::future_map<int>>);

TEST_CASE("the program on the first page runs") {
  fmap::thread_pool pool{3};
  int results = 0, last = 0;
  for (int v : fmap::future_map(pool, twice, std::views::iota(0), 5)) {
    ++results;
    if ((last = v) == 100) break;
  }
  CHECK(last == 100);
  CHECK(results >= 45);  // at most 5 in flight: nothing can be overtaken by more
}

TEST_CASE("all results arrive, each exactly once") {
  fmap::thread_pool pool{3};
  const auto results = sorted(fmap::future_map(pool, twice, std::views::iota(0, 10'000), 64));
  REQUIRE(results.size() == 10'000);
  for (int i = 0; i < 10'000; ++i) REQUIRE(results[static_cast<std::size_t>(i)] == 2 * i);
}

TEST_CASE("a slow item is overtaken by those after it") {
  fmap::thread_pool pool{2};
  gate slow;
  opens_at_exit guard{slow};
  fmap::future_map map{pool,
                       [&](int i) {
                         if (i == 0) slow.pass();
                         return i;
                       },
                       std::views::iota(0, 1000), 8};
  std::vector<int> results;
  for (int v : map) {
    results.push_back(v);
    if (results.size() == 999) slow.open();
  }
  REQUIRE(results.size() == 1000);
  CHECK(results.back() == 0);
}

TEST_CASE("ordered results come in input order, with the same bound") {
  fmap::thread_pool pool{3};
  fmap::future_map map{pool,
                       [](int i) {
                         if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
                         return i;
                       },
                       std::views::iota(0, 2000),
                       fmap::map_options{.buffersize = 16, .ordered = true}};
  CHECK(all_of(map) == numbers(0, 2000));
  CHECK(map.stats().peak_in_flight <= 16);
}

TEST_CASE("a slow first item holds back ordered results, and not more than the bound") {
  fmap::thread_pool pool{2};
  gate slow;
  opens_at_exit guard{slow};
  std::atomic<int> calls{0};
  fmap::future_map map{pool,
                       [&](int i) {
                         if (i == 0) slow.pass();
                         ++calls;
                         return i;
                       },
                       std::views::iota(0), fmap::map_options{.buffersize = 8, .ordered = true}};
  std::jthread opener{[&] {
    eventually([&] { return calls == 7; });
    slow.open();
  }};
  auto it = map.begin();
  for (int i = 0; i < 100; ++i, ++it) REQUIRE(*it == i);
}

TEST_CASE("take() stops pulling") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, twice, std::views::iota(0), 4};
  std::vector<int> results;
  for (int v : map | std::views::take(10)) results.push_back(v);
  CHECK(results.size() == 10);
  CHECK(map.stats().pulled <= 11 + 4);
}

TEST_CASE("a temporary map goes through view adaptors") {
  fmap::thread_pool pool{2};
  auto odd = fmap::future_map(pool, twice, std::views::iota(0, 100), 4)
             | std::views::transform([](int& v) { return v + 1; })
             | std::views::filter([](int v) { return v % 10 == 1; });
  int sum = 0;
  for (int v : odd) sum += v;
  CHECK(sum == 20 * 1 + 10 * (19 * 20 / 2));
}

TEST_CASE("range algorithms read a map") {
  fmap::thread_pool pool{2};
  int sum = 0;
  std::ranges::for_each(fmap::future_map(pool, twice, std::views::iota(1, 11), 4),
                        [&](int v) { sum += v; });
  CHECK(sum == 110);
  std::vector<int> copied;
  std::ranges::copy(fmap::future_map(pool, twice, std::views::iota(1, 11), 4),
                    std::back_inserter(copied));
  std::ranges::sort(copied);
  CHECK(copied == std::vector{2, 4, 6, 8, 10, 12, 14, 16, 18, 20});
}

TEST_CASE("an empty input gives no results, again and again") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, twice, std::vector<int>{}, 4};
  CHECK(map.begin() == map.end());
  CHECK(map.begin() == map.end());
  CHECK(map.stats().pulled == 0);
}

TEST_CASE("a single item goes through") {
  fmap::thread_pool pool{2};
  CHECK(all_of(fmap::future_map(pool, twice, std::vector<int>{21}, 4)) == std::vector{42});
  CHECK(all_of(fmap::future_map(pool, twice, std::vector<int>{21}, 1)) == std::vector{42});
}

TEST_CASE("begin() again continues where the map is") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, twice, std::views::iota(0, 100),
                       fmap::map_options{.buffersize = 4, .ordered = true}};
  auto it = map.begin();
  CHECK(*it == 0);
  CHECK(*map.begin() == 0);  // still the same result
  ++it;
  ++it;
  CHECK(*map.begin() == 4);
  for (int v : map)
    if (v == 20) break;
  int next = 20;
  for (int v : map) {
    CHECK(v == next);
    next += 2;
  }
  CHECK(next == 200);
  CHECK(map.begin() == map.end());
}

TEST_CASE("a map that is moved goes on in its new place") {
  fmap::thread_pool pool{2};
  const fmap::map_options options{.buffersize = 4, .ordered = true};
  fmap::future_map map{pool, twice, std::views::iota(0, 100), options};
  CHECK(*map.begin() == 0);
  ++map.begin();
  fmap::future_map moved = std::move(map);
  CHECK(*moved.begin() == 2);
  ++moved.begin();
  CHECK(*moved.begin() == 4);
  CHECK(map.begin() == map.end());  // NOLINT(bugprone-use-after-move): moved from means at its end
  CHECK(map.stats().pulled == 0);
  int results = 0;
  for ([[maybe_unused]] int v : moved) ++results;
  CHECK(results == 98);
}

TEST_CASE("move assignment leaves the old run") {
  fmap::thread_pool pool{2};
  auto witness = std::make_shared<int>(0);
  const auto endless = [witness](int i) { return i + *witness; };
  fmap::future_map<int> map{pool, endless, std::views::iota(0), 8};
  CHECK(map.begin() != map.end());
  map = fmap::future_map<int>{pool, twice, std::views::iota(0, 3), 8};
  CHECK(witness.use_count() == 2);  // the old run's function is gone: its calls have ended
  CHECK(sorted(map) == std::vector{0, 2, 4});
}

TEST_CASE("move assignment to itself changes nothing") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, twice, std::views::iota(0, 10), 4};
  CHECK(map.begin() != map.end());
  auto& same = map;
  map = std::move(same);
  CHECK(all_of(map).size() == 10);
}

TEST_CASE("maps of different functions and ranges have one type") {
  fmap::thread_pool pool{2};
  std::vector<fmap::future_map<int>> maps;
  maps.emplace_back(pool, twice, std::views::iota(0, 3), 4);
  maps.emplace_back(
      pool, [](const std::string& s) { return static_cast<int>(s.size()); },
      std::vector<std::string>{"a", "bb"}, 4);
  CHECK(sorted(maps[0]) == std::vector{0, 2, 4});
  CHECK(sorted(maps[1]) == std::vector{1, 2});
}
