// SPDX-License-Identifier: BSD-3-Clause
// Functions and inputs that throw; outcomes.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"

using namespace testing;

namespace {

int odd_only(int i) {
  if (i % 2 == 0) throw std::runtime_error{"even: " + std::to_string(i)};
  return i;
}

std::uint64_t same(std::uint64_t i) { return i; }

/// 0, 1, 2 ... until pulling number `at` throws.
auto throwing_at(std::uint64_t at) {
  return made_range{[at](std::uint64_t i) {
    if (i == at) throw std::runtime_error{"no more at " + std::to_string(i)};
    return i;
  }};
}

/// Its iterator's * throws at the element `at`.
struct bad_dereference {
  int at;
  struct iterator {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    int i = 0, at = 0;
    int operator*() const { return i == at ? throw std::runtime_error{"bad element"} : i; }
    iterator& operator++() { return ++i, *this; }
    void operator++(int) { ++i; }
    bool operator==(std::default_sentinel_t) const { return i == 100; }
  };
  iterator begin() const { return {0, at}; }
  std::default_sentinel_t end() const { return {}; }
};

/// The results of a map, and what ended it.
template <class Map>
std::pair<std::vector<std::uint64_t>, std::string> read(Map&& map) {
  std::vector<std::uint64_t> results;
  std::string ended = "the end";
  try {
    for (auto v : map) results.push_back(static_cast<std::uint64_t>(v));
  } catch (const std::exception& e) {
    ended = e.what();
  }
  std::sort(results.begin(), results.end());
  return {results, ended};
}

}  // namespace

TEST_CASE("an exception of the function ends plain iteration at that result") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool,
                       [](int i) {
                         if (i == 7) throw std::out_of_range{"seven"};
                         return i;
                       },
                       std::views::iota(0), fmap::map_options{.buffersize = 4, .ordered = true}};
  std::vector<int> results;
  CHECK_THROWS_AS(
      [&] {
        for (int v : map) results.push_back(v);
      }(),
      std::out_of_range);
  CHECK(results == numbers(0, 7));
  CHECK(map.begin() == map.end());
  CHECK(map.begin() == map.end());
}

TEST_CASE("an exception at the very first item comes out of begin()") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, odd_only, std::vector{2}, 4};
  CHECK(message_of<std::runtime_error>([&] { map.begin(); }) == "even: 2");
  CHECK(map.begin() == map.end());
}

TEST_CASE("after an exception nothing more is pulled") {
  fmap::thread_pool pool{2};
  std::atomic<std::uint64_t> pulled{0};
  made_range input{[&](std::uint64_t i) {
    ++pulled;
    return i;
  }};
  fmap::future_map map{pool, [](std::uint64_t i) -> int { throw i; }, std::move(input), 4};
  CHECK_THROWS_AS(map.begin(), std::uint64_t);
  CHECK(eventually([&] { return map.stats().running == 0; }));
  CHECK(pulled <= 5);
}

TEST_CASE("what is thrown need not be a std::exception") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, [](int) -> int { throw 42; }, std::vector{1}, 4};
  CHECK_THROWS_AS(map.begin(), int);
}

TEST_CASE("outcomes go on after failures, one for each pulled item") {
  fmap::thread_pool pool{3};
  fmap::future_map map{pool, odd_only, std::views::iota(0, 1000), 16};
  std::set<std::uint64_t> seen;
  for (auto& o : map.outcomes()) {
    REQUIRE(seen.insert(o.index()).second);
    REQUIRE(o.attempts() == 1);
    REQUIRE(o.has_value() == (o.index() % 2 == 1));
    REQUIRE(static_cast<bool>(o) == o.has_value());
    if (o) {
      REQUIRE(static_cast<std::uint64_t>(o.value()) == o.index());
      REQUIRE(o.error() == nullptr);
    } else {
      REQUIRE(message_of(o.error()) == "even: " + std::to_string(o.index()));
      REQUIRE_THROWS_AS(o.value(), std::runtime_error);
    }
  }
  CHECK(seen.size() == 1000);
  CHECK(map.stats().failed == 500);
  CHECK(map.stats().taken == 1000);
}

/// An item of exactly that many bytes, which are its number.
template <std::size_t Size, std::size_t Align>
struct alignas(Align) bytes {
  explicit bytes(std::uint8_t n) { all.fill(n); }
  std::array<std::uint8_t, Size> all;
};

TEMPLATE_TEST_CASE("outcomes of items that are smaller than an error, or badly aligned for one", "",
                   (bytes<1, 1>), (bytes<2, 2>), (bytes<3, 1>), (bytes<4, 4>), (bytes<8, 1>),
                   (bytes<9, 1>), (bytes<12, 4>), (bytes<32, 32>)) {
  std::vector<TestType> items;
  for (int i = 0; i != 250; ++i) items.emplace_back(static_cast<std::uint8_t>(i));
  const auto odd_only = [](const TestType& item) {
    if (item.all[0] % 2 == 0) throw std::runtime_error{std::to_string(item.all[0])};
    return item;
  };
  fmap::thread_pool pool{3};
  std::vector<int> seen(items.size());
  for (auto&& o : fmap::future_map(pool, odd_only, items, 32).outcomes()) {
    const auto number = static_cast<std::uint8_t>(o.index());
    ++seen[o.index()];
    REQUIRE(o.has_value() == (number % 2 == 1));
    if (o.has_value())
      CHECK(o.value().all == TestType{number}.all);
    else
      CHECK_THROWS_WITH(o.value(), std::to_string(number));
  }
  CHECK(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
}

TEST_CASE("outcomes come in input order if asked for") {
  fmap::thread_pool pool{3};
  fmap::future_map map{pool, odd_only, std::views::iota(0, 500),
                       fmap::map_options{.buffersize = 16, .ordered = true}};
  std::uint64_t next = 0;
  for (auto& o : map.outcomes()) REQUIRE(o.index() == next++);
  CHECK(next == 500);
}

TEST_CASE("outcomes of a temporary map keep it alive") {
  fmap::thread_pool pool{2};
  int values = 0;
  for (auto& o : fmap::future_map(pool, odd_only, std::views::iota(0, 10), 4).outcomes())
    values += o.has_value();
  CHECK(values == 5);
}

TEST_CASE("outcomes own what they carry") {
  fmap::thread_pool pool{2};
  std::vector<fmap::outcome<std::unique_ptr<int>>> kept;
  {
    fmap::future_map map{pool, [](int i) { return std::make_unique<int>(i); },
                         std::views::iota(0, 50), 4};
    for (auto& o : map.outcomes()) kept.push_back(std::move(o));
  }
  int sum = 0;
  for (auto& o : kept) sum += *std::move(o).value();
  CHECK(sum == 1225);
}

TEST_CASE("plain iteration and outcomes may take turns") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, odd_only, std::views::iota(1, 9),
                       fmap::map_options{.buffersize = 2, .ordered = true}};
  CHECK(*map.begin() == 1);
  auto outcomes = map.outcomes();
  auto it = outcomes.begin();
  CHECK(it->index() == 1);
  CHECK_FALSE(it->has_value());
  ++it;
  CHECK(it->index() == 2);
  CHECK_THROWS(++map.begin());
}

TEST_CASE("begin() that throws gives no results and its exception") {
  fmap::thread_pool pool{2};
  CHECK(read(fmap::future_map(pool, same, throwing_at(0), 4))
        == std::pair{std::vector<std::uint64_t>{}, std::string{"no more at 0"}});
}

TEST_CASE("a ++ that throws gives the results of what was pulled before, then its exception") {
  fmap::thread_pool pool{2};
  const std::size_t buffersize = GENERATE(1u, 2u, 4u, 64u);
  CHECK(read(fmap::future_map(pool, same, throwing_at(5), buffersize))
        == std::pair{std::vector<std::uint64_t>{0, 1, 2, 3, 4}, std::string{"no more at 5"}});
}

TEST_CASE("a * that throws gives the results of what was pulled before, then its exception") {
  fmap::thread_pool pool{2};
  CHECK(read(fmap::future_map(
            pool, [](int i) { return i; }, bad_dereference{3}, 8))
        == std::pair{std::vector<std::uint64_t>{0, 1, 2}, std::string{"bad element"}});
}

TEST_CASE("an input that throws late, in the midst of full speed") {
  fmap::thread_pool pool{2};
  const auto [results, ended] = read(fmap::future_map(pool, same, throwing_at(12'345), 256));
  CHECK(results.size() == 12'345);
  CHECK(ended == "no more at 12345");
}

TEST_CASE("an input's exception arrives once; then the map is at its end") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, throwing_at(0), 4};
  CHECK_THROWS(map.begin());
  CHECK(map.begin() == map.end());
  CHECK(map.begin() == map.end());
}

TEST_CASE("an input's exception also ends outcomes") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, throwing_at(3), 4};
  std::size_t outcomes = 0;
  CHECK_THROWS_AS(
      [&] {
        for ([[maybe_unused]] auto& o : map.outcomes()) ++outcomes;
      }(),
      std::runtime_error);
  CHECK(outcomes == 3);
}

TEST_CASE("an item whose copy throws ends the input") {
  struct touchy {
    int value = 0;
    explicit touchy(int v) : value{v} {}
    touchy(const touchy& other) : value{other.value} {
      if (value == 3) throw std::runtime_error{"no copy"};
    }
    touchy(touchy&&) = default;
  };
  fmap::thread_pool pool{2};
  std::vector<touchy> items;
  items.reserve(6);
  for (int i = 0; i < 6; ++i) items.emplace_back(i);
  CHECK(read(fmap::future_map(
            pool, [](touchy&& t) { return t.value; }, items, 8))
        == std::pair{std::vector<std::uint64_t>{0, 1, 2}, std::string{"no copy"}});
}

TEST_CASE("items and results of failed calls are released") {
  fmap::thread_pool pool{2};
  {
    made_range input{[](std::uint64_t i) { return counted{static_cast<int>(i)}; }, 200};
    fmap::future_map map{pool,
                         [](counted c) {
                           if (c.value() % 3 == 0) throw std::runtime_error{"third"};
                           return c;
                         },
                         std::move(input), 16};
    int failed = 0;
    for (auto& o : map.outcomes()) failed += !o;
    CHECK(failed == 67);
  }
  CHECK(counted::alive == 0);
}
