// SPDX-License-Identifier: BSD-3-Clause
// Any callable will do, and any result.
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"

using namespace testing;

namespace {

struct word {
  std::string text;
  std::size_t length() const { return text.size(); }
};

int add(int a, int b) { return a + b; }

struct scale {
  int by;
  int operator()(int x) const { return by * x; }
};

/// Neither copyable nor movable.
struct pinned {
  explicit pinned(int v) : value{v} {}
  pinned(pinned&&) = delete;
  int value;
};

}  // namespace

TEST_CASE("a function pointer is a function") {
  fmap::thread_pool pool{2};
  int (*negate)(int) = [](int x) { return -x; };
  CHECK(sorted(fmap::future_map(pool, negate, std::vector{1, 2}, 2)) == std::vector{-2, -1});
}

TEST_CASE("a function object is a function") {
  fmap::thread_pool pool{2};
  const scale by_three{3};
  CHECK(sorted(fmap::future_map(pool, by_three, std::vector{1, 2}, 2)) == std::vector{3, 6});
}

TEST_CASE("a member function and a data member are functions") {
  fmap::thread_pool pool{2};
  const std::vector<word> words{{"a"}, {"bcd"}};
  CHECK(sorted(fmap::future_map(pool, &word::length, words, 2)) == std::vector<std::size_t>{1, 3});
  CHECK(sorted(fmap::future_map(pool, &word::text, words, 2))
        == std::vector<std::string>{"a", "bcd"});
}

TEST_CASE("std::bind_front and std::function are functions") {
  fmap::thread_pool pool{2};
  CHECK(sorted(fmap::future_map(pool, std::bind_front(add, 10), std::vector{1, 2}, 2))
        == std::vector{11, 12});
  const std::function<int(int)> erased = scale{2};
  CHECK(sorted(fmap::future_map(pool, erased, std::vector{1, 2}, 2)) == std::vector{2, 4});
}

TEST_CASE("a move-only function is moved in") {
  fmap::thread_pool pool{2};
  auto ten = std::make_unique<int>(10);
  CHECK(sorted(fmap::future_map(
            pool, [ten = std::move(ten)](int x) { return *ten * x; }, std::vector{1, 2}, 2))
        == std::vector{10, 20});
}

TEST_CASE("a function is one object, shared by all workers") {
  fmap::thread_pool pool{3};
  const auto calls = std::make_shared<std::set<const void*>>();
  const auto mutex = std::make_shared<std::mutex>();
  auto fn = [calls, mutex, own = 0](int x) {
    std::lock_guard guard{*mutex};
    calls->insert(&own);
    return x;
  };
  CHECK(all_of(fmap::future_map(pool, fn, std::views::iota(0, 500), 16)).size() == 500);
  CHECK(calls->size() == 1);
}

TEST_CASE("calls run at the same time, on as many threads as there are workers") {
  fmap::thread_pool pool{3};
  std::atomic<int> inside{0};
  // Nobody leaves before three are inside at once.
  fmap::future_map map{pool,
                       [&](int x) {
                         ++inside;
                         while (inside < 3) std::this_thread::yield();
                         return x;
                       },
                       std::views::iota(0, 3), 3};
  CHECK(sorted(map) == std::vector{0, 1, 2});
}

TEST_CASE("a function sees its item as an rvalue") {
  fmap::thread_pool pool{2};
  struct probe {
    std::string operator()(int&&) const { return "rvalue"; }
    std::string operator()(const int&) const { return "lvalue"; }
  };
  CHECK(all_of(fmap::future_map(pool, probe{}, std::vector{1}, 2))
        == std::vector<std::string>{"rvalue"});
}

TEST_CASE("a void function's results read as monostate") {
  fmap::thread_pool pool{2};
  std::atomic<int> sum{0};
  fmap::future_map map{pool, [&](int x) { sum += x; }, std::views::iota(1, 11), 4};
  static_assert(std::is_same_v<decltype(map), fmap::future_map<std::monostate>>);
  CHECK(all_of(map).size() == 10);
  CHECK(sum == 55);
}

TEST_CASE("move-only results are handed out") {
  fmap::thread_pool pool{2};
  int sum = 0;
  for (auto& p : fmap::future_map(
           pool, [](int x) { return std::make_unique<int>(x); }, std::views::iota(0, 100), 8)) {
    const std::unique_ptr<int> mine = std::move(p);
    sum += *mine;
  }
  CHECK(sum == 4950);
}

TEST_CASE("results that cannot even be moved are handed out") {
  fmap::thread_pool pool{2};
  int sum = 0;
  for (const pinned& p : fmap::future_map(
           pool, [](int x) { return pinned{x}; }, std::views::iota(0, 100), 8))
    sum += p.value;
  CHECK(sum == 4950);
}

TEST_CASE("a returned reference becomes a value") {
  fmap::thread_pool pool{2};
  std::vector<std::string> names{"zero", "one"};
  fmap::future_map map{
      pool, [&](int i) -> const std::string& { return names[static_cast<std::size_t>(i)]; },
      std::views::iota(0, 2), 2};
  static_assert(std::is_same_v<decltype(map), fmap::future_map<std::string>>);
  CHECK(sorted(map) == std::vector<std::string>{"one", "zero"});
}

TEST_CASE("large and overaligned results keep their place") {
  struct alignas(128) wide {
    std::array<char, 5000> bytes{};
  };
  fmap::thread_pool pool{2};
  bool aligned = true;
  int results = 0;
  for (const wide& w : fmap::future_map(
           pool, [](char c) { return wide{{c}}; }, std::string(300, 'x'), 64)) {
    aligned = aligned && reinterpret_cast<std::uintptr_t>(&w) % 128 == 0 && w.bytes[0] == 'x';
    ++results;
  }
  CHECK(aligned);
  CHECK(results == 300);
}

TEST_CASE("a result lives until the next one is taken, and all are released") {
  fmap::thread_pool pool{2};
  {
    fmap::future_map map{pool, [](int x) { return counted{x}; }, std::views::iota(0, 1000), 8};
    for (auto& c : map) {
      REQUIRE(c.value() != counted::gone);
      REQUIRE(counted::alive <= 1 + 8);
    }
    CHECK(counted::alive == 0);
  }
}

TEST_CASE("function and range are released with the map") {
  fmap::thread_pool pool{2};
  const auto witness = std::make_shared<int>(1);
  {
    fmap::future_map map{
        pool, [witness](int x) { return x + *witness; },
        std::views::iota(0) | std::views::transform([witness](int i) { return i; }), 8};
    CHECK(map.begin() != map.end());
  }
  CHECK(witness.use_count() == 1);
}
