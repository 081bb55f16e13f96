// SPDX-License-Identifier: BSD-3-Clause
// The end of any pool.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/pools.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr auto twice = [](int x) { return 2 * x; };
constexpr auto fail = [](int) -> int { throw std::runtime_error{"failing task"}; };

template <class T>
std::size_t cancelled_of(const std::vector<fmap::future<T>>& futures) {
  return static_cast<std::size_t>(
      std::ranges::count_if(futures, [](const auto& f) { return f.cancelled(); }));
}

}  // namespace

TEST_CASE_ON_POOLS("submit and map after shutdown throw pool_shutdown") {
  TestType pool{1};
  CHECK(pool.submit(twice, 1).get() == 2);
  pool.shutdown();
  CHECK_THROWS_AS(pool.submit(twice, 1), fmap::pool_shutdown);
  CHECK_THROWS_AS(pool.map(twice, numbers(0, 3)), fmap::pool_shutdown);
  CHECK_THROWS_AS(pool.map(std::plus<>{}, numbers(0, 3), numbers(0, 3)), fmap::pool_shutdown);
}

TEST_CASE_ON_POOLS("a pool that did nothing can be shut down") {
  TestType pool{4};
  pool.shutdown();
  CHECK_THROWS_AS(pool.submit(twice, 1), fmap::pool_shutdown);
}

TEST_CASE_ON_POOLS("shutdown waits for all tasks, those that wait for a worker included") {
  TestType pool{2};
  std::vector<fmap::future<int>> all;
  for (int i = 0; i < 200; ++i) all.push_back(pool.submit(twice, i));
  pool.shutdown();
  int done = 0;
  for (int i = 0; i < 200; ++i) {
    const auto& f = all[static_cast<std::size_t>(i)];
    if (f.done() && f.get() == 2 * i) ++done;
  }
  CHECK(done == 200);
}

TEST_CASE_ON_POOLS("the destructor waits for all tasks") {
  std::vector<fmap::future<int>> all;
  {
    TestType pool{2};
    for (int i = 0; i < 200; ++i) all.push_back(pool.submit(twice, i));
  }
  for (const auto& f : all) REQUIRE(f.done());
  CHECK(all.back().get() == 398);
}

TEST_CASE_ON_POOLS("shutdown may be repeated, in every way") {
  TestType pool{2};
  const auto f = pool.submit(twice, 1);
  pool.shutdown({.wait = false});
  pool.shutdown();
  pool.shutdown();
  pool.shutdown({.wait = false, .cancel_futures = true});
  pool.shutdown({.wait = true, .cancel_futures = true});
  CHECK(f.get() == 2);
}

TEST_CASE_ON_POOLS("several threads may shut down at once, and each waits for the end") {
  for (int round = 0; round < 20; ++round) {
    TestType pool{2};
    std::vector<fmap::future<int>> all;
    for (int i = 0; i < 20; ++i) all.push_back(pool.submit(twice, i));
    std::atomic<int> early{0};
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
          pool.shutdown();
          for (const auto& f : all)
            if (!f.done()) ++early;
        });
    }
    CHECK(early == 0);
  }
}

TEST_CASE_ON_POOLS("shutdown without waiting returns at once; what was submitted is finished") {
  TestType pool{1};
  meeting_point hold;
  const auto running = pool.submit(meet, hold.path(), 1);
  const auto waiting = pool.submit(twice, 2);
  REQUIRE(eventually([&] { return hold.arrived() == 1; }));
  pool.shutdown({.wait = false});
  CHECK_FALSE(running.done());
  CHECK_FALSE(waiting.done());
  CHECK_THROWS_AS(pool.submit(twice, 1), fmap::pool_shutdown);
  hold.open();
  CHECK(running.get() == 1);
  CHECK(waiting.get() == 4);
}

TEST_CASE_ON_POOLS("cancel_futures cancels what has not been started and nothing else") {
  TestType pool{1};
  meeting_point hold, seen;
  const auto running = pool.submit(meet, hold.path(), 1);
  std::vector<fmap::future<void>> waiting;
  for (int i = 0; i < 200; ++i) waiting.push_back(pool.submit(arrive, seen.path()));
  REQUIRE(eventually([&] { return hold.arrived() == 1; }));
  pool.shutdown({.wait = false, .cancel_futures = true});
  // What a worker process has been handed counts as started: that is a small part.
  const std::size_t cancelled = cancelled_of(waiting);
  CHECK(cancelled >= 100);
  CHECK(waiting.back().cancelled());
  CHECK_FALSE(running.cancelled());
  hold.open();
  pool.shutdown();
  CHECK(running.get() == 1);
  CHECK(seen.arrived() == 200 - cancelled);
  CHECK(cancelled_of(waiting) == cancelled);
  for (const auto& f : waiting) CHECK(f.done());
}

TEST_CASE_ON_POOLS("a waiting shutdown that cancels returns when what runs is done") {
  TestType pool{2};
  std::vector<fmap::future<int>> all;
  for (int i = 0; i < 500; ++i) all.push_back(pool.submit(twice, i));
  pool.shutdown({.cancel_futures = true});
  for (const auto& f : all) {
    REQUIRE(f.done());
    if (!f.cancelled()) CHECK(f.exception() == nullptr);
  }
}

TEST_CASE_ON_POOLS("a later shutdown may still cancel what the first one would have finished") {
  TestType pool{1};
  meeting_point hold;
  const auto running = pool.submit(meet, hold.path(), 1);
  std::vector<fmap::future<int>> waiting;
  for (int i = 0; i < 200; ++i) waiting.push_back(pool.submit(twice, i));
  REQUIRE(eventually([&] { return hold.arrived() == 1; }));
  pool.shutdown({.wait = false});
  CHECK(cancelled_of(waiting) == 0);
  pool.shutdown({.wait = false, .cancel_futures = true});
  CHECK(waiting.back().cancelled());
  hold.open();
  CHECK(running.get() == 1);
}

TEST_CASE_ON_POOLS("cancel_futures cancels tasks only: a map hands out what was in flight") {
  TestType pool{1};
  auto map = pool.map(fmap::map_options{.buffersize = 4}, twice, std::views::iota(0));
  CHECK(*map.begin() == 0);
  REQUIRE(eventually([&] { return map.stats().ready == 4; }));
  pool.shutdown({.cancel_futures = true});
  std::vector<int> results;
  CHECK_THROWS_AS(
      [&] {
        for (int v : map) results.push_back(v);
      }(),
      fmap::pool_shutdown);
  CHECK(results == std::vector{0, 2, 4, 6, 8});
}

TEST_CASE_ON_POOLS("shutdown does not hang when a task was cancelled just before") {
  for (int round = 0; round < 50; ++round) {
    TestType pool{1};
    pool.submit(twice, 1).get();
    pool.submit(twice, 2).cancel();
    pool.shutdown();
  }
}

TEST_CASE_ON_POOLS("shutdown does not hang with maps that nobody has begun or finished to read") {
  TestType pool{2};
  auto not_begun = pool.map(twice, numbers(0, 100));
  auto begun = pool.map(twice, numbers(0, 100));
  CHECK(*begun.begin() == 0);
  pool.shutdown();
  CHECK_THROWS_AS(not_begun.begin(), fmap::pool_shutdown);
}

TEST_CASE_ON_POOLS("shutdown does not hang when tasks failed") {
  TestType pool{2};
  const auto good = pool.submit(twice, 1), bad = pool.submit(fail, 1), last = pool.submit(twice, 2);
  pool.shutdown({.wait = false});
  CHECK(good.get() == 2);
  CHECK(message_of(bad.exception()) == "failing task");
  CHECK(last.get() == 4);
}

TEST_CASE_ON_POOLS("pools that are made, used and destroyed many times leave nothing behind") {
  for (int round = 0; round < 30; ++round) {
    TestType pool{2};
    CHECK(pool.submit(twice, round).get() == 2 * round);
  }
}

TEST_CASE_ON_POOLS("a done-callback that runs in a thread of ours may shut down without waiting") {
  TestType pool{1};
  std::atomic<bool> called{false};
  fmap::future<int> f;
  {
    meeting_point hold;
    f = pool.submit(meet, hold.path(), 3);
    f.add_done_callback([&](const fmap::future<int>&) {
      pool.shutdown({.wait = false, .cancel_futures = true});
      called = true;
    });
  }
  CHECK(f.get() == 3);
  REQUIRE(eventually([&] { return called.load(); }));
  CHECK_THROWS_AS(pool.submit(twice, 1), fmap::pool_shutdown);
}

TEST_CASE_ON_POOLS("a done-callback may submit to the pool") {
  TestType pool{1};
  fmap::promise<int> second;
  pool.submit(twice, 1).add_done_callback([&](const fmap::future<int>& first) {
    pool.submit(twice, first.get()).add_done_callback([&](const fmap::future<int>& f) {
      second.set_value(f.get());
    });
  });
  CHECK(second.get_future().get() == 4);
}
