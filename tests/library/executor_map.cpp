// SPDX-License-Identifier: BSD-3-Clause
// The ordered map of any pool.
#include <chrono>
#include <functional>
#include <memory>
#include <ranges>
#include <string>
#include <vector>

#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"
#include "support/pools.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr auto twice = [](int x) { return 2 * x; };
constexpr auto same = [](int x) { return x; };
constexpr auto times = [](int x, int y) { return x * y; };
constexpr auto divide = [](int x, int y) {
  if (y == 0) throw std::domain_error{"division by zero"};
  return std::pair{x / y, x % y};
};

std::vector<int> squares(int n) {
  std::vector<int> result;
  for (int i = 0; i < n; ++i) result.push_back(i * i);
  return result;
}

}  // namespace

TEST_CASE_ON_POOLS("map hands out the results in input order") {
  TestType pool{2};
  std::vector<int> expected;
  for (int i = 0; i < 500; ++i) expected.push_back(2 * i);
  CHECK(all_of(pool.map(twice, numbers(0, 500))) == expected);
}

TEST_CASE_ON_POOLS("map keeps the input order when later items finish first") {
  TestType pool{2};
  meeting_point hold;
  // The first item waits for a mark that the last one leaves.
  auto map = pool.map(
      fmap::map_options{.buffersize = 8, .chunksize = 1},
      [](const std::string& path, int i) {
        if (i == 0) return meet(path, i);
        if (i == 7) std::ofstream{path + "/open"};
        return i;
      },
      std::vector<std::string>(8, hold.path()), numbers(0, 8));
  CHECK(all_of(map) == numbers(0, 8));
}

TEST_CASE_ON_POOLS("map takes one element of each of several ranges") {
  TestType pool{2};
  CHECK(all_of(pool.map(times, numbers(0, 10), numbers(0, 10))) == squares(10));
  CHECK(all_of(pool.map([](int a, const std::string& b, double c) { return a + b.size() + c; },
                        numbers(0, 3), std::vector<std::string>{"", "x", "xy"},
                        std::vector<double>{0.5, 0.5, 0.5}))
        == std::vector<double>{0.5, 2.5, 4.5});
}

TEST_CASE_ON_POOLS("map with any chunksize gives the same") {
  TestType pool{2};
  for (std::size_t chunksize : {1, 2, 3, 7, 10, 16})
    CHECK(all_of(pool.map(fmap::map_options{.buffersize = 16, .chunksize = chunksize}, times,
                          numbers(0, 50), numbers(0, 50)))
          == squares(50));
}

TEST_CASE_ON_POOLS("map with any buffersize gives the same") {
  TestType pool{2};
  for (std::size_t buffersize : {1, 2, 3, 10, 100, 1000})
    CHECK(all_of(pool.map(fmap::map_options{.buffersize = buffersize}, same, numbers(0, 200)))
          == numbers(0, 200));
}

TEST_CASE_ON_POOLS("map ends with the shortest of its ranges, whichever that is") {
  TestType pool{2};
  CHECK(all_of(pool.map(times, numbers(0, 3), numbers(0, 10))) == squares(3));
  CHECK(all_of(pool.map(times, numbers(0, 10), numbers(0, 3))) == squares(3));
  CHECK(all_of(pool.map(times, std::views::iota(0), numbers(0, 4))) == squares(4));
  CHECK(all_of(pool.map(times, numbers(0, 4), std::views::iota(0))) == squares(4));
}

TEST_CASE_ON_POOLS("map over nothing is nothing") {
  TestType pool{1};
  CHECK(all_of(pool.map(twice, std::vector<int>{})).empty());
  CHECK(all_of(pool.map(times, numbers(0, 5), std::vector<int>{})).empty());
  CHECK(all_of(pool.map(times, std::vector<int>{}, numbers(0, 5))).empty());
}

TEST_CASE_ON_POOLS("map asks its ranges in turn, and none after the first that is at its end") {
  TestType pool{1};
  std::string asked;
  const auto range = [&](char name, std::uint64_t size) {
    return made_range{[&asked, name](std::uint64_t i) {
                        asked += name;
                        return static_cast<int>(i);
                      },
                      size};
  };
  CHECK(all_of(pool.map([](int a, int b, int c) { return a + b + c; }, range('a', 4), range('b', 2),
                        range('c', 4)))
        == std::vector{0, 3});
  CHECK(asked == "abcabca");
}

TEST_CASE_ON_POOLS("a call that throws does so at its place, after the results before it") {
  TestType pool{2};
  auto map = pool.map(divide, std::vector{1, 1, 1, 1}, std::vector{2, 3, 0, 5});
  auto it = map.begin();
  CHECK(*it == std::pair{0, 1});
  ++it;
  CHECK(*it == std::pair{0, 1});
  CHECK(message_of<std::domain_error>([&] { ++it; }) == "division by zero");
  CHECK(map.begin() == map.end());
}

TEST_CASE_ON_POOLS("the outcomes of a map come in order and go on after a failure") {
  TestType pool{2};
  auto map = pool.map(divide, std::vector{7, 7, 7}, std::vector{2, 0, 3});
  std::vector<std::string> seen;
  for (auto& o : map.outcomes())
    seen.push_back(std::to_string(o.index()) + ":"
                   + (o ? std::to_string(o.value().first) : message_of(o.error())));
  CHECK(seen == std::vector<std::string>{"0:3", "1:division by zero", "2:2"});
}

TEST_CASE_ON_POOLS("map throws timeout_error when a result is not ready in time") {
  TestType pool{2};
  pool.submit([] {}).get();  // has started
  meeting_point hold;
  auto map = pool.map(
      fmap::map_options{.buffersize = 4, .chunksize = 1, .timeout = 500ms},
      [](const std::string& path, int i) { return i == 2 ? meet(path, i) : i; },
      std::vector<std::string>(3, hold.path()), numbers(0, 3));
  std::vector<int> results;
  CHECK_THROWS_AS(
      [&] {
        for (int v : map) {
          results.push_back(v);
          // Results that are ready are handed out however late it is.
          eventually([&] { return hold.arrived() == 1; });
        }
      }(),
      fmap::timeout_error);
  CHECK(results == numbers(0, 2));
  CHECK(map.begin() == map.end());
  hold.open();
}

TEST_CASE_ON_POOLS("map refuses options that make no sense") {
  TestType pool{1};
  const auto with = [&](const fmap::map_options& o) { pool.map(o, twice, numbers(0, 3)); };
  CHECK_THROWS_AS(with({.buffersize = 0}), std::invalid_argument);
  CHECK_THROWS_AS(with({.chunksize = 0}), std::invalid_argument);
  CHECK_THROWS_AS(with({.buffersize = 2, .chunksize = 3}), std::invalid_argument);
  CHECK_THROWS_AS(with({.timeout = -1s}), std::invalid_argument);
  CHECK_THROWS_AS(with({.max_attempts = 0}), std::invalid_argument);
}

TEST_CASE_ON_POOLS("map is lazy: nothing is pulled before its iteration begins") {
  TestType pool{2};
  std::atomic<int> pulled{0};
  const auto counting = [&] {
    return made_range{[&](std::uint64_t i) {
      ++pulled;
      return static_cast<int>(i);
    }};
  };
  auto one = pool.map(twice, counting());
  auto several = pool.map(times, counting(), counting());
  pool.submit(twice, 1).get();
  CHECK(pulled == 0);
  CHECK(*one.begin() == 0);
  CHECK(pulled > 0);
  CHECK(several.stats().pulled == 0);
}

TEST_CASE_ON_POOLS("map over endless ranges never has more than buffersize items in flight") {
  TestType pool{2};
  std::atomic<int> pulled{0};
  made_range counting{[&](std::uint64_t i) {
    ++pulled;
    return static_cast<int>(i);
  }};
  auto map =
      pool.map(fmap::map_options{.buffersize = 5}, times, std::move(counting), std::views::iota(0));
  int taken = 0;
  auto it = map.begin();
  for (; taken < 300; ++it) {
    ++taken;
    if (pulled > taken + 5) break;
  }
  CHECK(taken == 300);
  CHECK(map.stats().peak_in_flight <= 5);
  // While nothing is taken, it stands still at its bound.
  CHECK(eventually([&] { return pulled == taken + 1 + 5; }));
}

TEST_CASE_ON_POOLS("a map without options is bounded") {
  TestType pool{1};
  auto map = pool.map(same, std::views::iota(0));
  CHECK(*map.begin() == 0);
  CHECK(map.stats().buffersize <= 1024);
}

TEST_CASE_ON_POOLS("a map may be left early, and the pool goes on") {
  TestType pool{2};
  for (int round = 0; round < 20; ++round) {
    int last = 0;
    for (int v : pool.map(same, std::views::iota(0)))
      if ((last = v) == round) break;
    CHECK(last == round);
  }
  CHECK(pool.submit(twice, 2).get() == 4);
}

TEST_CASE_ON_POOLS("map composes with views") {
  TestType pool{2};
  std::vector<int> first;
  auto map = pool.map(same, std::views::iota(0));
  for (int v : std::ranges::subrange{map.begin(), map.end()} | std::views::take(4))
    first.push_back(v);
  CHECK(first == numbers(0, 4));
}

TEST_CASE_ON_POOLS("two maps of a pool may be read in turn") {
  TestType pool{2};
  auto a = pool.map(same, numbers(0, 100));
  auto b = pool.map(twice, numbers(0, 100));
  int n = 0;
  auto j = b.begin();
  for (int v : a) {
    CHECK(v == n);
    CHECK(*j == 2 * n);
    ++j;
    ++n;
  }
  CHECK(n == 100);
}

TEST_CASE_ON_POOLS("map moves move-only items out of a container that was moved in") {
  TestType pool{2};
  std::vector<std::unique_ptr<int>> items;
  for (int i = 0; i < 10; ++i) items.push_back(std::make_unique<int>(i));
  CHECK(all_of(pool.map([](std::unique_ptr<int> p, int y) { return *p * y; }, std::move(items),
                        numbers(0, 10)))
        == squares(10));
}

TEST_CASE_ON_POOLS("an error of a range arrives after the results of what was pulled before it") {
  TestType pool{1};
  made_range broken{[](std::uint64_t i) {
    if (i == 3) throw std::runtime_error{"no more input"};
    return static_cast<int>(i);
  }};
  auto map = pool.map(times, numbers(0, 10), std::move(broken));
  std::vector<int> results;
  CHECK(message_of<std::runtime_error>([&] {
          for (int v : map) results.push_back(v);
        })
        == "no more input");
  CHECK(results == squares(3));
}

TEST_CASE_ON_POOLS("map takes the standard's function objects") {
  TestType pool{2};
  CHECK(all_of(pool.map(std::plus<>{}, std::vector{1, 2}, std::vector{10, 20}))
        == std::vector{11, 22});
}
