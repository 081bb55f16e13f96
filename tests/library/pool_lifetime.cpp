// SPDX-License-Identifier: BSD-3-Clause
// Pools that are shut down or destroyed while maps live.
#include <atomic>
#include <memory>
#include <optional>
#include <ranges>
#include <thread>
#include <vector>

#include <sched.h>

#include <fmap/fmap.hpp>

#include "src/core/processors.hpp"
#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"
#include "support/this_process.hpp"

using namespace testing;

namespace {

int same(int x) { return x; }

/// The number of results until the map ends or throws pool_shutdown.
template <class Map>
std::pair<int, bool> drain(Map& map) {
  int results = 0;
  try {
    for ([[maybe_unused]] auto& v : map) ++results;
  } catch (const fmap::pool_shutdown&) {
    return {results, true};
  }
  return {results, false};
}

/// Whether the pool has begun to shut down.
bool takes_no_work(fmap::thread_pool& pool) {
  try {
    fmap::future_map probe{pool, same, std::views::iota(0, 1), 1};
    return false;
  } catch (const fmap::pool_shutdown&) {
    return true;
  }
}

}  // namespace

TEST_CASE("a shutdown under a live map: what is in flight is handed out, then pool_shutdown") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::views::iota(0), 8};
  auto it = map.begin();
  REQUIRE(eventually([&] { return map.stats().pulled == 9; }));
  pool.shutdown();
  CHECK(map.stats().ready == 8);
  std::vector<int> results{*it};
  for (int i = 0; i < 8; ++i) {
    ++it;
    results.push_back(*it);
  }
  std::ranges::sort(results);
  CHECK(results == numbers(0, 9));
  CHECK_THROWS_AS(++it, fmap::pool_shutdown);
  CHECK(map.begin() == map.end());
}

TEST_CASE("a pool destroyed under a live map leaves it what was in flight") {
  std::optional<fmap::thread_pool> pool{std::in_place, 2};
  fmap::future_map map{*pool, same, std::views::iota(0), 8};
  CHECK(map.begin() != map.end());
  REQUIRE(eventually([&] { return map.stats().pulled == 9; }));
  pool.reset();
  CHECK(drain(map) == std::pair{9, true});
}

TEST_CASE("a map whose input was at its end is not cut short by a shutdown") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::views::iota(0, 8), 8};
  CHECK(map.begin() != map.end());
  REQUIRE(eventually([&] { return map.stats().pulled == 8; }));
  pool.shutdown();
  CHECK(drain(map) == std::pair{8, false});
}

TEST_CASE("an input that ends while the pool shuts down had no more: no error") {
  fmap::thread_pool pool{2};
  gate last;
  opens_at_exit guard{last};
  // Unsized: the end is found by the ++ that hangs here.
  auto input = std::views::iota(0) | std::views::take_while([&](int i) {
                 if (i == 3) last.pass();
                 return i < 3;
               });
  fmap::future_map map{pool, same, input, 8};
  CHECK(map.begin() != map.end());
  REQUIRE(eventually([&] { return last.waiting() == 1; }));
  std::jthread shutter{[&] { pool.shutdown(); }};
  REQUIRE(eventually([&] { return takes_no_work(pool); }));
  last.open();
  CHECK(drain(map) == std::pair{3, false});
}

TEST_CASE("a shutdown finishes what is queued and running") {
  fmap::thread_pool pool{1};
  gate hold;
  opens_at_exit guard{hold};
  fmap::future_map map{pool,
                       [&](int i) {
                         if (i != 0) hold.pass();
                         return i;
                       },
                       std::views::iota(0) | by_a_source, 8};
  CHECK(*map.begin() == 0);
  REQUIRE(eventually([&] { return hold.waiting() == 1 && map.stats().pulled == 9; }));
  std::atomic<bool> down{false};
  std::jthread shutter{[&] {
    pool.shutdown();
    down = true;
  }};
  REQUIRE(eventually([&] { return takes_no_work(pool); }));
  CHECK_FALSE(down);
  hold.open();
  CHECK(drain(map) == std::pair{9, true});
  REQUIRE(eventually([&] { return down.load(); }));
}

TEST_CASE("a map made but not begun before the shutdown has nothing in flight") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::views::iota(0), 8};
  pool.shutdown();
  CHECK_THROWS_AS(map.begin(), fmap::pool_shutdown);
  CHECK(map.begin() == map.end());
  CHECK(map.stats().pulled == 0);
}

TEST_CASE("a new map on a pool that was shut down throws when it is made") {
  fmap::thread_pool pool{2};
  pool.shutdown();
  CHECK_THROWS_AS((fmap::future_map{pool, same, std::views::iota(0), 8}), fmap::pool_shutdown);
}

TEST_CASE("a consumer that waits is woken by a shutdown") {
  fmap::thread_pool pool{2};
  gate hold;
  opens_at_exit guard{hold};
  made_range input{[&](std::uint64_t i) {
    if (i == 1) hold.pass();
    return static_cast<int>(i);
  }};
  fmap::future_map map{pool, same, std::move(input), 8};
  std::jthread shutter{[&] {
    eventually([&] { return hold.waiting() == 1; });
    std::jthread opener{[&] { hold.open(); }};
    pool.shutdown();
  }};
  CHECK(drain(map).second);
}

TEST_CASE("shutdown is idempotent and may be called by several threads") {
  fmap::thread_pool pool{3};
  fmap::future_map map{pool, same, std::views::iota(0), 32};
  CHECK(map.begin() != map.end());
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { pool.shutdown(); });
  }
  pool.shutdown();
  CHECK(drain(map).second);
}

TEST_CASE("a map that outlives its pool can be left, moved and asked") {
  {
    auto pool = std::make_unique<fmap::thread_pool>(2);
    fmap::future_map map{*pool, [](int i) { return counted{i}; }, std::views::iota(0), 8};
    CHECK(map.begin() != map.end());
    pool.reset();
    fmap::future_map moved = std::move(map);
    const auto s = moved.stats();
    CHECK(s.pulled == s.ready + s.taken);
    CHECK(moved.begin() != moved.end());
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("a pool that did nothing starts no worker") {
  const std::size_t before = threads_now();
  fmap::thread_pool pool{64};
  CHECK(pool.workers() == 64);
  CHECK(threads_now() < before + 20);
}

TEST_CASE("workers are started one by one, as they are needed") {
  fmap::thread_pool pool{64};
  CHECK(all_of(fmap::future_map(pool, same, std::views::iota(0, 10), 1)).size() == 10);
  CHECK(threads_now() < 30);
}

TEST_CASE("pools give their threads back") {
  { fmap::thread_pool warm_up{2}; }
  fmap::thread_pool keeps_the_system{1};
  std::size_t before = 0;
  REQUIRE(eventually([&] { return std::exchange(before, threads_now()) == threads_now(); }));
  for (int i = 0; i < 50; ++i) {
    fmap::thread_pool pool{4};
    CHECK(all_of(fmap::future_map(pool, same, std::views::iota(0, 100), 16)).size() == 100);
  }
  CHECK(eventually([&] { return threads_now() <= before; }));
}

TEST_CASE("several pools work side by side") {
  fmap::thread_pool one{1}, two{2};
  fmap::future_map a{one, same, std::views::iota(0, 500), 8};
  fmap::future_map b{two, same, std::views::iota(0, 500), 8};
  CHECK(sorted(a) == numbers(0, 500));
  one.shutdown();
  CHECK(sorted(b) == numbers(0, 500));
}

TEST_CASE("a default pool has one worker for each processor that may be used") {
  CHECK(fmap::thread_pool{}.workers() == fmap::detail::usable_processors());
  std::size_t pinned = 0;
  std::thread{[&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    ::sched_setaffinity(0, sizeof one, &one);
    pinned = fmap::thread_pool{}.workers();
  }}.join();
  CHECK(pinned == 1);
}

TEST_CASE("a pool may live until the program ends") {
  static fmap::thread_pool pool{2};
  CHECK(sorted(fmap::future_map(pool, same, std::views::iota(0, 100), 8)) == numbers(0, 100));
}

TEST_CASE("a pool can be destroyed while threads that used it live on") {
  gate hold;
  std::atomic<int> read{0};
  std::optional<fmap::thread_pool> pool{std::in_place, 2};
  std::vector<std::jthread> readers;
  opens_at_exit guard{hold};
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      if (all_of(fmap::future_map(*pool, same, std::views::iota(0, 100), 8)).size() == 100) ++read;
      hold.pass();
    });
  REQUIRE(eventually([&] { return hold.waiting() == 3; }));
  pool.reset();  // hangs if it waits for them
  CHECK(read == 3);
}
