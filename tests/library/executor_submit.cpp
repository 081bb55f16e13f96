// SPDX-License-Identifier: BSD-3-Clause
// Tasks on any pool: what goes in and what comes out.
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmap/wait.hpp>

#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/pools.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr auto twice = [](int x) { return 2 * x; };
constexpr auto nothing = [] {};
constexpr auto refuse = [](const std::string& why) -> int { throw std::invalid_argument{why}; };

}  // namespace

TEST_CASE_ON_POOLS("every pool is an executor") {
  STATIC_REQUIRE(fmap::executor<TestType>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<TestType>);
}

TEST_CASE_ON_POOLS("submit returns the future of the result") {
  TestType pool{2};
  fmap::future<int> f = pool.submit(twice, 21);
  CHECK(f.get() == 42);
  CHECK(f.done());
  CHECK_FALSE(f.running());
  CHECK_FALSE(f.cancelled());
  CHECK(f.exception() == nullptr);
}

TEST_CASE_ON_POOLS("a task may have no argument, or many of different types") {
  TestType pool{2};
  const fmap::future<int> none = pool.submit([] { return 7; });
  CHECK(none.get() == 7);
  const fmap::future<std::string> many = pool.submit(
      [](int a, double b, const std::string& c, std::vector<int> d, bool e) {
        return std::to_string(a + static_cast<int>(b) + d.at(1)) + c + (e ? "!" : "?");
      },
      1, 2.0, std::string{"x"}, std::vector<int>{3, 4}, true);
  CHECK(many.get() == "7x!");
}

TEST_CASE_ON_POOLS("a task without a result has a future<void>") {
  TestType pool{1};
  fmap::future<void> f = pool.submit(nothing);
  f.get();
  CHECK(f.done());
  CHECK(f.exception() == nullptr);
}

TEST_CASE_ON_POOLS("results may be containers, optionals, pairs and tuples") {
  TestType pool{1};
  using result = std::map<std::string, std::optional<std::pair<int, double>>>;
  const fmap::future<result> f = pool.submit(
      [](int n) {
        result r;
        r["some"] = std::pair{n, 0.5};
        r["none"] = std::nullopt;
        return r;
      },
      3);
  CHECK(f.get().size() == 2);
  CHECK(f.get().at("some") == std::pair{3, 0.5});
  CHECK_FALSE(f.get().at("none"));
}

TEST_CASE_ON_POOLS("what a task throws is thrown by get() and returned by exception()") {
  TestType pool{1};
  const fmap::future<int> f = pool.submit(refuse, std::string{"not this"});
  CHECK_THROWS_AS(f.get(), std::invalid_argument);
  CHECK(message_of<std::invalid_argument>([&] { f.get(); }) == "not this");
  CHECK(message_of(f.exception()) == "not this");
  CHECK(f.done());
  CHECK_FALSE(f.running());
}

TEST_CASE_ON_POOLS("a task that throws harms no other") {
  TestType pool{1};
  std::vector<fmap::future<int>> good;
  for (int i = 0; i < 50; ++i) {
    pool.submit(refuse, std::string{"no"});
    good.push_back(pool.submit(twice, i));
  }
  for (int i = 0; i < 50; ++i) CHECK(good[static_cast<std::size_t>(i)].get() == 2 * i);
}

TEST_CASE_ON_POOLS("arguments are taken by value: later changes are not seen") {
  TestType pool{1};
  meeting_point hold;
  pool.submit(meet, hold.path(), 0);
  std::vector<int> numbers{1, 2, 3};
  const auto f = pool.submit([](const std::vector<int>& v) { return v.size(); }, numbers);
  numbers.clear();
  hold.open();
  CHECK(f.get() == 3);
}

TEST_CASE_ON_POOLS("a move-only argument moves in and a move-only result is taken out") {
  TestType pool{1};
  const auto f = pool.submit([](std::unique_ptr<int> p) { return std::make_unique<int>(*p + 1); },
                             std::make_unique<int>(41));
  CHECK(*f.get() == 42);
  std::unique_ptr<int> mine = f.take();
  CHECK(*mine == 42);
  CHECK_THROWS_AS(f.get(), fmap::invalid_state);
  CHECK_THROWS_AS(f.take(), fmap::invalid_state);
}

TEST_CASE_ON_POOLS("thousands of tasks each give their own result") {
  TestType pool{2};
  std::vector<fmap::future<int>> all;
  for (int i = 0; i < 5000; ++i) all.push_back(pool.submit(twice, i));
  int wrong = 0;
  for (int i = 0; i < 5000; ++i)
    if (all[static_cast<std::size_t>(i)].get() != 2 * i) ++wrong;
  CHECK(wrong == 0);
}

TEST_CASE_ON_POOLS("a task runs also when its future is thrown away") {
  TestType pool{1};
  meeting_point seen;
  pool.submit(arrive, seen.path());
  pool.shutdown();
  CHECK(seen.arrived() == 1);
}

TEST_CASE_ON_POOLS("a future outlives its pool") {
  fmap::future<int> f;
  {
    TestType pool{1};
    f = pool.submit(twice, 4);
  }
  REQUIRE(f.done());
  CHECK(f.get() == 8);
}

TEST_CASE_ON_POOLS("a task that has begun is running and cannot be cancelled") {
  TestType pool{1};
  meeting_point hold;
  const auto f = pool.submit(meet, hold.path(), 5);
  REQUIRE(eventually([&] { return hold.arrived() == 1; }));
  CHECK(f.running());
  CHECK_FALSE(f.done());
  CHECK_FALSE(f.cancel());
  CHECK_FALSE(f.cancelled());
  hold.open();
  CHECK(f.get() == 5);
  CHECK_FALSE(f.cancel());
}

TEST_CASE_ON_POOLS("a task that is cancelled before it begins never runs") {
  TestType pool{1};
  meeting_point hold, seen;
  pool.submit(meet, hold.path(), 0);
  REQUIRE(eventually([&] { return hold.arrived() == 1; }));
  // A pool of processes may have handed over the next ones already: the last one is still here.
  std::vector<fmap::future<void>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(pool.submit(arrive, seen.path()));
  const fmap::future<void> last = waiting.back();
  CHECK_FALSE(last.running());
  REQUIRE(last.cancel());
  CHECK(last.cancelled());
  CHECK(last.done());
  CHECK(last.cancel());
  CHECK_THROWS_AS(last.get(), fmap::cancelled_error);
  CHECK_THROWS_AS(last.exception(), fmap::cancelled_error);
  hold.open();
  pool.shutdown();
  CHECK(seen.arrived() == 99);
}

TEST_CASE_ON_POOLS("get, wait and exception give up after their timeout and may be called again") {
  TestType pool{1};
  meeting_point hold;
  const auto f = pool.submit(meet, hold.path(), 9);
  CHECK_THROWS_AS(f.get(0ms), fmap::timeout_error);
  CHECK_THROWS_AS(f.get(5ms), fmap::timeout_error);
  CHECK_THROWS_AS(f.exception(5ms), fmap::timeout_error);
  CHECK_FALSE(f.wait(5ms));
  CHECK_THROWS_AS(f.get(-1ms), std::invalid_argument);
  hold.open();
  CHECK(f.wait(60s));
  CHECK(f.get(0ms) == 9);
}

TEST_CASE_ON_POOLS("a done-callback gets the task's future, also if it failed or was cancelled") {
  TestType pool{1};
  std::vector<fmap::future<int>> tasks;
  std::atomic<int> called{0}, wrong{0};
  {
    meeting_point hold;
    tasks.push_back(pool.submit(meet, hold.path(), 1));
    tasks.push_back(pool.submit(refuse, std::string{"no"}));
    for (int i = 0; i < 100; ++i) tasks.push_back(pool.submit(twice, i));
    for (auto& f : tasks)
      f.add_done_callback([&, f](const fmap::future<int>& done) {
        if (done != f || !done.done()) ++wrong;
        ++called;
      });
    CHECK(called == 0);
    CHECK(tasks.back().cancel());
    CHECK(called == 1);
  }
  pool.shutdown();
  CHECK(called == 102);
  CHECK(wrong == 0);
}

TEST_CASE_ON_POOLS("wait and as_completed take the tasks of several pools") {
  TestType one{1}, two{1};
  meeting_point hold;
  const auto held = one.submit(meet, hold.path(), 1);
  const auto free = two.submit(twice, 1);
  const auto [done, not_done] = fmap::wait({held, free}, fmap::first_completed);
  CHECK(done == std::vector{free});
  CHECK(not_done == std::vector{held});
  std::vector<fmap::future<int>> order;
  for (const auto& f : fmap::as_completed(std::vector{held, free}, 60s)) {
    order.push_back(f);
    hold.open();
  }
  CHECK(order == std::vector{free, held});
}

TEST_CASE_ON_POOLS("a task's result may be the argument of the next, on another pool") {
  TestType one{1}, two{1};
  int value = 1;
  for (int i = 0; i < 20; ++i) value = (i % 2 == 0 ? one : two).submit(twice, value).get();
  CHECK(value == 1 << 20);
}

#if !defined(FMAP_TEST_NODES)  // a node says itself how many workers it has
TEST_CASE_ON_POOLS("a pool of no or a negative number of workers is refused") {
  CHECK_THROWS_AS(TestType{0}, std::invalid_argument);
  CHECK_THROWS_AS(TestType{-1}, std::invalid_argument);
}
#endif

TEST_CASE_ON_POOLS("many threads may submit to one pool") {
  TestType pool{2};
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        std::vector<fmap::future<int>> mine;
        for (int i = 0; i < 300; ++i) mine.push_back(pool.submit(twice, 1000 * t + i));
        for (int i = 0; i < 300; ++i)
          if (mine[static_cast<std::size_t>(i)].get() != 2 * (1000 * t + i)) ++wrong;
      });
  }
  CHECK(wrong == 0);
}
