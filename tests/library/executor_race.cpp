// SPDX-License-Identifier: BSD-3-Clause
// Two things at the same time, many times over.
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"
#include "support/race.hpp"
#include "support/seed.hpp"
#include "support/this_process.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr int few = memory_is_watched ? 200 : 1000, many = memory_is_watched ? 2000 : 10'000;

}  // namespace

TEST_CASE("race: shutdown against submit: a task is refused or runs") {
  std::optional<fmap::thread_pool> pool;
  std::atomic<int> ran{0};
  std::vector<fmap::future<void>> accepted;
  const int bad = test::race(
      few,
      [&] {
        pool.emplace(2);
        ran = 0;
        accepted.clear();
      },
      [&] { pool->shutdown(); },
      [&] {
        try {
          for (int i = 0; i < 20; ++i) accepted.push_back(pool->submit([&] { ++ran; }));
        } catch (const fmap::pool_shutdown&) {}
      },
      [&] {
        pool->shutdown();
        return ran == static_cast<int>(accepted.size())
               && std::ranges::all_of(accepted, [](const auto& f) { return f.done(); });
      });
  CHECK(bad == 0);
}

TEST_CASE(
    "race: shutdown with cancel_futures against submit: a task is refused, cancelled or runs") {
  std::optional<fmap::thread_pool> pool;
  std::atomic<int> ran{0};
  std::vector<fmap::future<void>> accepted;
  const int bad = test::race(
      few,
      [&] {
        pool.emplace(2);
        ran = 0;
        accepted.clear();
      },
      [&] { pool->shutdown({.wait = false, .cancel_futures = true}); },
      [&] {
        try {
          for (int i = 0; i < 20; ++i) accepted.push_back(pool->submit([&] { ++ran; }));
        } catch (const fmap::pool_shutdown&) {}
      },
      [&] {
        pool->shutdown();
        const auto cancelled =
            std::ranges::count_if(accepted, [](const auto& f) { return f.cancelled(); });
        return ran + cancelled == static_cast<int>(accepted.size())
               && std::ranges::all_of(accepted, [](const auto& f) { return f.done(); });
      });
  CHECK(bad == 0);
}

TEST_CASE("race: cancel against start: cancelled or run, never both, never neither") {
  fmap::thread_pool pool{1};
  std::atomic<int> ran{0};
  fmap::future<void> f;
  bool cancelled = false;
  const int bad = test::race(
      many, [&] { ran = 0; }, [&] { f = pool.submit([&] { ++ran; }); }, [&] {},
      [&] {
        cancelled = f.cancel();
        f.wait();
        pool.submit([] {}).get();
        return cancelled == f.cancelled() && ran == (cancelled ? 0 : 1);
      });
  CHECK(bad == 0);
}

TEST_CASE("race: cancel against cancel against start") {
  fmap::thread_pool pool{2};
  std::atomic<int> ran{0}, called{0};
  fmap::future<void> f;
  bool one = false, two = false;
  const int bad = test::race(
      many,
      [&] {
        ran = called = 0;
        f = pool.submit([&] { ++ran; });
        f.add_done_callback([&](const fmap::future<void>&) { ++called; });
      },
      [&] { one = f.cancel(); }, [&] { two = f.cancel(); },
      [&] {
        f.wait();
        return one == two && one == f.cancelled() && eventually([&] { return called == 1; })
               && ran == (one ? 0 : 1);
      });
  CHECK(bad == 0);
}

TEST_CASE("race: done against add_done_callback: called exactly once") {
  fmap::thread_pool pool{1};
  std::atomic<int> called{0};
  fmap::future<int> f;
  const auto add = [&] {
    f.add_done_callback([&](const fmap::future<int>& done) { called += done.get(); });
  };
  const int bad = test::race(
      many,
      [&] {
        called = 0;
        f = pool.submit([] { return 1; });
      },
      add, add,
      [&] {
        f.wait();
        pool.submit([] {}).get();  // the worker has called what it had to call
        return called == 2;
      });
  CHECK(bad == 0);
}

TEST_CASE("race: wait with a timeout against completion") {
  fmap::thread_pool pool{1};
  fmap::future<int> f;
  bool in_time = false;
  const int bad = test::race(
      many, [&] { f = pool.submit([] { return 1; }); }, [&] { in_time = f.wait(20us); },
      [&] { fmap::wait({f}, fmap::all_completed, 10us); },
      [&] { return (!in_time || f.done()) && f.get() == 1; });
  CHECK(bad == 0);
}

TEST_CASE("race: dropping the last future against completion") {
  fmap::thread_pool pool{1};
  fmap::future<counted> f, copy;
  const int bad = test::race(
      many,
      [&] {
        f = pool.submit([](const counted& c) { return counted{c.value() + 1}; }, counted{1});
        copy = f;
      },
      [&] { f = {}; }, [&] { copy = {}; }, [] { return true; });
  CHECK(bad == 0);
  pool.shutdown();
  CHECK(counted::alive == 0);
}

TEST_CASE("race: a pool's destructor against those who wait for its futures") {
  std::optional<fmap::thread_pool> pool;
  std::vector<fmap::future<int>> all;
  std::atomic<int> sum{0};
  const int bad = test::race(
      few,
      [&] {
        pool.emplace(2);
        all.clear();
        for (int i = 0; i < 10; ++i) all.push_back(pool->submit([i] { return i; }));
        sum = 0;
      },
      [&] { pool.reset(); },
      [&] {
        for (const auto& f : fmap::as_completed(all)) sum += f.get();
      },
      [&] { return sum == 45; });
  CHECK(bad == 0);
}

TEST_CASE("race: two shutdowns, one from a task") {
  std::optional<fmap::thread_pool> pool;
  fmap::future<void> f;
  const int bad = test::race(
      few, [&] { pool.emplace(1); },
      [&] {
        try {
          f = pool->submit([&] { pool->shutdown({.wait = false, .cancel_futures = true}); });
        } catch (const fmap::pool_shutdown&) {
          f = {};
        }
      },
      [&] { pool->shutdown(); }, [&] { return !f.valid() || f.done(); });
  CHECK(bad == 0);
}

TEST_CASE("race: everything at once, thousands of random steps") {
  const auto seed = testing::seed();
  INFO(seed_message(seed));
  dice steps{seed};
  for (int round = 0; round < (memory_is_watched ? 30 : 150); ++round) {
    std::atomic<int> ran{0}, called{0};
    int expected = 0;
    std::vector<fmap::future<counted>> all;
    {
      fmap::thread_pool pool{steps.between(1, 3)};
      const auto part = [&](std::uint64_t random) {
        dice mine{random};
        std::vector<fmap::future<counted>> tasks;
        for (int i = 0; i < 50; ++i) {
          try {
            tasks.push_back(pool.submit(
                [&, i](const counted&) {
                  ++ran;
                  return counted{i};
                },
                counted{i}));
            tasks.back().add_done_callback([&](const fmap::future<counted>&) { ++called; });
          } catch (const fmap::pool_shutdown&) {
            break;
          }
          if (mine.one_in(4)) tasks[mine.below(tasks.size())].cancel();
          if (mine.one_in(8)) tasks[mine.below(tasks.size())].wait(1us);
          if (mine.one_in(200)) pool.shutdown({.wait = false, .cancel_futures = mine.one_in(2)});
        }
        return tasks;
      };
      std::vector<fmap::future<counted>> theirs;
      {
        std::jthread other{[&, random = steps.below(1u << 30)] { theirs = part(random); }};
        all = part(steps.below(1u << 30));
      }
      all.insert(all.end(), theirs.begin(), theirs.end());
    }
    for (const auto& f : all) {
      REQUIRE(f.done());
      if (!f.cancelled()) ++expected;
    }
    REQUIRE(ran == expected);
    REQUIRE(called == static_cast<int>(all.size()));
    all.clear();
    REQUIRE(counted::alive == 0);
  }
}
