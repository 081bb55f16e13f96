// SPDX-License-Identifier: BSD-3-Clause
// What thread pools take and give back beyond what can travel: callables of every kind, references,
// exceptions of any type; and how long they keep it.
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"

using namespace testing;

namespace {

struct account {
  int balance = 0;
  int deposit(int amount) { return balance += amount; }
  int look() const { return balance; }
};

int twice(int x) { return 2 * x; }

struct immovable_when_called {
  std::unique_ptr<int> owned;
  int operator()() && { return *owned; }
};

/// A result that cannot be copied or moved without a trace.
struct throws_when_moved {
  throws_when_moved() = default;
  throws_when_moved(throws_when_moved&&) { throw std::length_error{"moved"}; }
};

}  // namespace

TEST_CASE("a task may be a plain function, a std::function or a move-only function object") {
  fmap::thread_pool pool{1};
  CHECK(pool.submit(twice, 1).get() == 2);
  CHECK(pool.submit(&twice, 2).get() == 4);
  CHECK(pool.submit(std::function<int(int)>{twice}, 3).get() == 6);
  CHECK(pool.submit([p = std::make_unique<int>(4)] { return 2 * *p; }).get() == 8);
  CHECK(pool.submit(immovable_when_called{std::make_unique<int>(10)}).get() == 10);
}

TEST_CASE("a task may be a member function, on a copy, a pointer or a reference") {
  fmap::thread_pool pool{1};
  account mine{100};
  CHECK(pool.submit(&account::deposit, mine, 5).get() == 105);
  CHECK(mine.balance == 100);
  CHECK(pool.submit(&account::deposit, &mine, 5).get() == 105);
  CHECK(pool.submit(&account::deposit, std::ref(mine), 5).get() == 110);
  CHECK(mine.balance == 110);
  CHECK(pool.submit(&account::look, std::make_shared<account>(account{3})).get() == 3);
  CHECK(pool.submit(&account::balance, mine).get() == 110);
}

TEST_CASE("an argument in std::ref is referred to, any other is the task's own") {
  fmap::thread_pool pool{1};
  int changed = 0, kept = 0;
  pool.submit([](int& a, int b) { a = ++b; }, std::ref(changed), kept).get();
  CHECK(changed == 1);
  CHECK(kept == 0);
}

TEST_CASE("an lvalue argument is copied once, an rvalue never") {
  fmap::thread_pool pool{1};
  {
    const counted item{5};
    counted::copies = 0;
    CHECK(pool.submit([](counted c) { return c.value(); }, item).get() == 5);
    CHECK(counted::copies == 1);
    CHECK(pool.submit([](counted c) { return c.value(); }, counted{6}).get() == 6);
    CHECK(counted::copies == 1);
    CHECK(pool.submit([](int x) { return counted{x}; }, 7).get().value() == 7);
    CHECK(counted::copies == 1);
  }
  pool.shutdown();
  CHECK(counted::alive == 0);
}

TEST_CASE("a result by reference is copied into the future") {
  fmap::thread_pool pool{1};
  std::string text = "before";
  const fmap::future<std::string> f = pool.submit([&]() -> std::string& { return text; });
  f.wait();
  text = "after";
  CHECK(f.get() == "before");
}

TEST_CASE("an exception of any type passes through") {
  fmap::thread_pool pool{1};
  CHECK_THROWS_AS(pool.submit([] { throw 42; }).get(), int);
  CHECK_THROWS_AS(pool.submit([]() -> int { throw std::string{"text"}; }).get(), std::string);
  CHECK_THROWS_AS(pool.submit([] { throw account{}; }).get(), account);
  CHECK_THROWS_AS(pool.submit([] { throw fmap::cancelled_error{"thrown"}; }).get(),
                  fmap::cancelled_error);
  try {
    pool.submit([] { throw 42; }).get();
  } catch (int value) {
    CHECK(value == 42);
  }
}

TEST_CASE("a result is made where it stays, and is not moved on its way there") {
  fmap::thread_pool pool{1};
  const auto f = pool.submit([] { return throws_when_moved{}; });
  CHECK(f.exception() == nullptr);
  CHECK(pool.submit(twice, 1).get() == 2);
}

TEST_CASE("an argument that throws when it is copied reaches the caller of submit") {
  struct uncopyable {
    uncopyable() = default;
    uncopyable(const uncopyable&) { throw std::length_error{"copied"}; }
  };
  fmap::thread_pool pool{1};
  const uncopyable argument;
  CHECK_THROWS_AS(pool.submit([](const uncopyable&) {}, argument), std::length_error);
  CHECK(pool.submit(twice, 1).get() == 2);
}

TEST_CASE("what a call held is free before its future is done") {
  fmap::thread_pool pool{1};
  for (int i = 0; i < 200; ++i) {
    const auto value = pool.submit([](const counted& c) { return c.value(); }, counted{i});
    value.get();
    CHECK(counted::alive == 0);
    const auto error = pool.submit([c = counted{i}] { throw c.value(); });
    error.wait();
    CHECK(counted::alive == 0);
  }
}

TEST_CASE("a result lives as long as its futures and no longer") {
  fmap::thread_pool pool{1};
  auto f = pool.submit([] { return counted{1}; });
  auto copy = f;
  f.wait();
  pool.submit([] {}).get();  // the worker is past it
  f = {};
  CHECK(counted::alive == 1);
  copy = {};
  CHECK(counted::alive == 0);
}

TEST_CASE("the result of a task whose future was thrown away is freed at once") {
  fmap::thread_pool pool{1};
  pool.submit([] { return counted{1}; });
  pool.submit([] {}).get();
  CHECK(counted::alive == 0);
}

TEST_CASE(
    "what a cancelled task held is freed when the pool has passed it, though its future lives") {
  gate hold;
  opens_at_exit guard{hold};
  fmap::thread_pool pool{1};
  pool.submit([&] { hold.pass(); });
  const auto f = pool.submit([](const counted&) {}, counted{1});
  REQUIRE(f.cancel());
  hold.open();
  pool.shutdown();
  CHECK(counted::alive == 0);
}

TEST_CASE("what tasks held that a shutdown cancelled is freed, though their futures live") {
  gate hold;
  opens_at_exit guard{hold};
  fmap::thread_pool pool{1};
  pool.submit([&] { hold.pass(); });
  std::vector<fmap::future<void>> all;
  for (int i = 0; i < 10; ++i) all.push_back(pool.submit([](const counted&) {}, counted{i}));
  while (hold.waiting() == 0) std::this_thread::yield();  // or the worker may begin one meanwhile
  pool.shutdown({.wait = false, .cancel_futures = true});
  hold.open();
  pool.shutdown();
  CHECK(all.back().cancelled());
  CHECK(counted::alive == 0);
}

TEST_CASE("map keeps no result longer than until the next one") {
  fmap::thread_pool pool{2};
  auto map = pool.map(
      fmap::map_options{.buffersize = 3}, [](int i) { return counted{i}; },
      std::views::iota(0, 100));
  int wrong = 0;
  for (auto& result : map) {
    static_cast<void>(result);
    if (counted::alive > 1 + 3 + 2) ++wrong;  // here, ready, and in the workers' hands
  }
  CHECK(wrong == 0);
  CHECK(counted::alive == 0);
}

TEST_CASE("a map over several ranges gives its function the elements as rvalues") {
  fmap::thread_pool pool{1};
  std::vector<counted> items(5);
  counted::copies = 0;
  const std::vector<int> factors{1, 2, 3, 4, 5};
  std::vector<int> results;
  for (int v : pool.map([](counted&&c, int f) { return c.value() + f; }, std::move(items), factors))
    results.push_back(v);
  CHECK(results == factors);
  CHECK(counted::copies == 0);
}

TEST_CASE("a done-callback that throws disturbs neither the worker nor the other callbacks") {
  fmap::thread_pool pool{1};
  gate hold;
  opens_at_exit guard{hold};
  std::atomic<int> called{0};
  const auto f = pool.submit([&] { hold.pass(); });
  f.add_done_callback([](const fmap::future<void>&) { throw std::runtime_error{"in a callback"}; });
  f.add_done_callback([&](const fmap::future<void>&) { ++called; });
  hold.open();
  CHECK(pool.submit(twice, 1).get() == 2);
  CHECK(eventually([&] { return called == 1; }));
}
