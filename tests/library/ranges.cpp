// SPDX-License-Identifier: BSD-3-Clause
// Any input range will do.
#include <array>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <ranges>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"
#include "support/made_range.hpp"

using namespace testing;

namespace {

int same(int x) { return x; }

/// What comes out when a range goes through the identity.
template <class Range>
auto through(Range&& range) {
  fmap::thread_pool pool{2};
  return sorted(fmap::future_map(
      pool, [](auto x) { return x; }, std::forward<Range>(range), 3));
}

}  // namespace

TEST_CASE("an endless iota is an input") {
  fmap::thread_pool pool{2};
  int results = 0;
  for ([[maybe_unused]] int v : fmap::future_map(pool, same, std::views::iota(0), 7))
    if (++results == 5000) break;
  CHECK(results == 5000);
}

TEST_CASE("an istream view is an input") {
  std::istringstream words{"to be or not to be"};
  CHECK(through(std::views::istream<std::string>(words))
        == std::vector<std::string>{"be", "be", "not", "or", "to", "to"});
}

TEST_CASE("an lvalue vector is not modified") {
  fmap::thread_pool pool{2};
  std::vector<std::string> words{"a long enough string to be on the heap", "b", "c"};
  const auto before = words;
  const auto results = sorted(fmap::future_map(
      pool,
      [](std::string&& s) {
        std::string mine = std::move(s);
        return mine;
      },
      words, 2));
  CHECK(results == before);
  CHECK(words == before);
}

TEST_CASE("a const vector is an input") {
  const std::vector<int> values{3, 1, 2};
  CHECK(through(values) == std::vector{1, 2, 3});
}

TEST_CASE("items are moved out of a vector that was moved in, and never copied") {
  fmap::thread_pool pool{2};
  {
    std::vector<counted> items;
    for (int i = 0; i < 100; ++i) items.emplace_back(i);
    counted::copies = 0;
    fmap::future_map map{pool, [](counted c) { return c; }, std::move(items), 8};
    int sum = 0;
    for (auto& c : map) sum += c.value();
    CHECK(sum == 4950);
    CHECK(counted::copies == 0);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("items of an lvalue are copied once") {
  fmap::thread_pool pool{2};
  std::list<counted> items;
  for (int i = 0; i < 100; ++i) items.emplace_back(i);
  counted::copies = 0;
  CHECK(all_of(fmap::future_map(
                   pool, [](counted&& c) { return c.value(); }, items, 8))
            .size()
        == 100);
  CHECK(counted::copies == 100);
  for (const auto& c : items) CHECK(c.value() != counted::gone);
}

TEST_CASE("move-only items come from a container that was moved in") {
  fmap::thread_pool pool{2};
  std::vector<std::unique_ptr<int>> items;
  for (int i = 0; i < 20; ++i) items.push_back(std::make_unique<int>(i));
  CHECK(sorted(fmap::future_map(
            pool, [](std::unique_ptr<int> p) { return *p; }, std::move(items), 4))
        == numbers(0, 20));
}

TEST_CASE("move-only items come from views::all of a moved container") {
  fmap::thread_pool pool{2};
  std::vector<std::unique_ptr<int>> items;
  for (int i = 0; i < 20; ++i) items.push_back(std::make_unique<int>(i));
  CHECK(
      sorted(fmap::future_map(
          pool, [](std::unique_ptr<int>&& p) { return *p; }, std::views::all(std::move(items)), 4))
      == numbers(0, 20));
}

TEST_CASE("move-only items come from a generator") {
  fmap::thread_pool pool{2};
  made_range input{[](std::uint64_t i) { return std::make_unique<int>(static_cast<int>(i)); }, 50};
  CHECK(sorted(fmap::future_map(
            pool, [](std::unique_ptr<int> p) { return *p; }, std::move(input), 4))
        == numbers(0, 50));
}

TEST_CASE("move-only items come from a view that makes them") {
  fmap::thread_pool pool{2};
  auto made = std::views::iota(0, 30)
              | std::views::transform([](int i) { return std::make_unique<int>(i); });
  CHECK(sorted(fmap::future_map(
            pool, [](std::unique_ptr<int> p) { return *p; }, made, 4))
        == numbers(0, 30));
}

TEST_CASE("an lvalue generator continues after the map") {
  fmap::thread_pool pool{2};
  made_range input{[](std::uint64_t i) { return static_cast<int>(i); }};
  {
    fmap::future_map map{pool, same, input, 4};
    CHECK(map.begin() != map.end());
  }
  CHECK(*input.begin() >= 1);
  CHECK(*input.begin() <= 7);
}

TEST_CASE("lists, arrays, C arrays and maps are inputs") {
  CHECK(through(std::list{2, 1}) == std::vector{1, 2});
  CHECK(through(std::forward_list{2, 1}) == std::vector{1, 2});
  CHECK(through(std::deque{2, 1}) == std::vector{1, 2});
  CHECK(through(std::array{2, 1}) == std::vector{1, 2});
  int plain[] = {2, 1};
  CHECK(through(plain) == std::vector{1, 2});
  const std::map<int, std::string> by_number{{1, "one"}, {2, "two"}};
  CHECK(through(by_number | std::views::values) == std::vector<std::string>{"one", "two"});
}

TEST_CASE("items with a const member are moved out of what was moved in") {
  fmap::thread_pool pool{2};
  std::map<int, std::unique_ptr<int>> by_number;
  for (int i = 0; i < 10; ++i) by_number.emplace(i, std::make_unique<int>(10 * i));
  int sum = 0;
  for (int v : fmap::future_map(
           pool, [](std::pair<const int, std::unique_ptr<int>>&& p) { return p.first + *p.second; },
           std::move(by_number), 4))
    sum += v;
  CHECK(sum == 11 * 45);
}

TEST_CASE("a span refers to elements and leaves them alone") {
  fmap::thread_pool pool{2};
  std::vector<std::string> words{"a long enough string to be on the heap", "b"};
  const auto before = words;
  CHECK(sorted(fmap::future_map(
            pool, [](std::string s) { return s; }, std::span{words}, 4))
        == before);
  CHECK(words == before);
}

TEST_CASE("a string and a string view are inputs") {
  CHECK(through(std::string{"hello"}) == std::vector{'e', 'h', 'l', 'l', 'o'});
  CHECK(through(std::string_view{"ab"}) == std::vector{'a', 'b'});
}

TEST_CASE("a vector of bool gives bools") {
  std::vector<bool> bits{true, false, true};
  CHECK(through(bits) == std::vector<bool>{false, true, true});
  CHECK(through(std::move(bits)) == std::vector<bool>{false, true, true});
}

TEST_CASE("a transformed view's function runs in the source") {
  CHECK(through(std::views::iota(0, 5) | std::views::transform([](int i) { return i * i; }))
        == std::vector{0, 1, 4, 9, 16});
}

TEST_CASE("a filtered view is an input, also one with a state") {
  int asked = 0;
  auto even = std::views::iota(0, 10) | std::views::filter([&asked](int i) {
                ++asked;
                return i % 2 == 0;
              });
  CHECK(through(even) == std::vector{0, 2, 4, 6, 8});
  CHECK(asked >= 10);
}

TEST_CASE("pairs of references become pairs of values") {
  std::vector<int> numbers{1, 2};
  std::vector<std::string> names{"one", "two"};
  auto pairs = std::views::iota(0, 2) | std::views::transform([&](int i) {
                 const auto at = static_cast<std::size_t>(i);
                 return std::pair<int, std::string>{numbers[at], names[at]};
               });
  fmap::thread_pool pool{2};
  CHECK(sorted(fmap::future_map(
            pool,
            [](const std::pair<int, std::string>& p) { return p.second + std::to_string(p.first); },
            pairs, 4))
        == std::vector<std::string>{"one1", "two2"});
}

TEST_CASE("nested and split ranges are inputs") {
  std::vector<std::vector<int>> nested{{1, 2}, {}, {3}};
  CHECK(through(nested | std::views::join) == std::vector{1, 2, 3});
  CHECK(through(std::vector{5, 6, 7, 8} | std::views::drop(1) | std::views::reverse)
        == std::vector{6, 7, 8});
}

TEST_CASE("a sized input's end is known without another token") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::vector{1, 2, 3}, 3};
  CHECK(all_of(map).size() == 3);
  CHECK(map.stats().pulled == 3);
}

TEST_CASE("large items go through") {
  struct large {
    std::array<char, 100'000> bytes{};
  };
  fmap::thread_pool pool{2};
  made_range input{[](std::uint64_t i) {
                     auto item = large{};
                     item.bytes[99'999] = static_cast<char>(i);
                     return item;
                   },
                   20};
  CHECK(sorted(fmap::future_map(
            pool, [](const large& item) { return int{item.bytes[99'999]}; }, std::move(input), 8))
        == numbers(0, 20));
}
