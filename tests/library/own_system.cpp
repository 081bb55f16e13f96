// SPDX-License-Identifier: BSD-3-Clause
// Pools on an actor system of the user's.
#include <latch>
#include <memory>
#include <vector>

#include <caf/all.hpp>

#include <fmap/fmap.hpp>

#include "support/caf_testing.hpp"
#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/this_process.hpp"

using namespace testing;

namespace {

int twice(int x) { return 2 * x; }

template <class Pool>
int results_of(Pool& pool) {
  int results = 0;
  for ([[maybe_unused]] int v : fmap::future_map(pool, twice, std::views::iota(0, 500), 8))
    ++results;
  return results;
}

}  // namespace

TEST_CASE("a pool works on a default-configured actor system") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  fmap::thread_pool pool{system, {.workers = 2}};
  CHECK(results_of(pool) == 500);
}

TEST_CASE("a pool works while the system's only scheduler thread is blocked by a user's actor") {
  gate hold;
  caf::actor_system_config config;
  one_scheduler_thread(config);
  caf::actor_system system{config};
  opens_at_exit guard{hold};
  system.spawn([&](caf::event_based_actor*) { hold.pass(); });
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  {
    fmap::thread_pool pool{system, {.workers = 2}};
    CHECK(results_of(pool) == 500);
    CHECK(hold.waiting() == 1);
  }
  hold.open();
}

TEST_CASE("a blocked function does not block the system's only scheduler thread") {
  caf::actor_system_config config;
  one_scheduler_thread(config);
  caf::actor_system system{config};
  gate hold;
  fmap::thread_pool pool{system, {.workers = 2}};
  opens_at_exit guard{hold};
  fmap::future_map map{pool,
                       [&](int i) {
                         if (i != 0) hold.pass();
                         return i;
                       },
                       std::views::iota(0, 8), 4};
  CHECK(*map.begin() == 0);
  REQUIRE(eventually([&] { return hold.waiting() == 2; }));
  gate users;
  users.open();
  std::atomic<bool> ran{false};
  system.spawn([&](caf::event_based_actor*) { ran = true; });
  CHECK(eventually([&] { return ran.load(); }));
  hold.open();
}

TEST_CASE("two pools work on one system, and no actor is left when they are gone") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  {
    fmap::thread_pool one{system, {.workers = 2}};
    fmap::thread_pool two{system, {.workers = 1}};
    fmap::future_map a{one, twice, std::views::iota(0, 500), 8};
    CHECK(a.begin() != a.end());
    CHECK(results_of(two) == 500);
    CHECK(all_of(a).size() == 500);
  }
  CHECK(eventually([&] { return system.registry().running() == 0; }));
}

TEST_CASE("a pool on a user's system takes an initializer, and can be broken by it") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  fmap::thread_pool pool{system, {.workers = 2, .initializer = [] { throw 1; }}};
  fmap::future_map map{pool, twice, std::views::iota(0, 4), 4};
  CHECK_THROWS_AS(map.begin(), fmap::broken_pool);
}

TEST_CASE("bad options are refused before anything is spawned") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  CHECK_THROWS_AS((fmap::thread_pool{system, {.workers = 0}}), std::invalid_argument);
  CHECK(system.registry().running() == 0);
}

TEST_CASE("a map left in the middle lets the system shut down") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  auto pool = std::make_unique<fmap::thread_pool>(system, fmap::thread_pool_options{.workers = 2});
  fmap::future_map map{*pool, twice, std::views::iota(0), 8};
  CHECK(map.begin() != map.end());
  pool.reset();
}

TEST_CASE("a system can be destroyed while a thread that read a map on it lives on") {
  gate hold;
  std::jthread reader;
  opens_at_exit guard{hold};
  {
    caf::actor_system_config config;
    caf::actor_system system{config};
    fmap::thread_pool pool{system, {.workers = 2}};
    reader = std::jthread{[&] {
      all_of(fmap::future_map(pool, twice, std::views::iota(0, 100), 8));
      hold.pass();
    }};
    REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  }  // hangs if it waits for the reader
  CHECK(hold.waiting() == 1);
}

TEST_CASE("200 systems one after another") {
  const std::size_t before = threads_now();
  for (int i = 0; i < 200; ++i) {
    caf::actor_system_config config;
    one_scheduler_thread(config);
    caf::actor_system system{config};
    fmap::thread_pool pool{system, {.workers = 2}};
    REQUIRE(all_of(fmap::future_map(pool, twice, std::views::iota(0, 20), 4)).size() == 20);
  }
  CHECK(eventually([&] { return threads_now() <= before; }));
}

TEST_CASE("200 pools on fmap's own system, each the only one") {
  for (int i = 0; i < 200; ++i) {
    fmap::thread_pool pool{2};
    REQUIRE(all_of(fmap::future_map(pool, twice, std::views::iota(0, 20), 4)).size() == 20);
  }
}

// CAF 0.17's clock has a queue of 64 places, and every actor that ends puts an order in.
TEST_CASE("a system can end right after a pool of hundreds of workers") {
  const auto employ_all = [](fmap::thread_pool& pool) {
    const auto all_here = std::make_shared<std::latch>(pool.workers());
    for (std::size_t i = 0; i < pool.workers(); ++i)
      pool.submit([all_here] { all_here->arrive_and_wait(); });
    all_here->wait();
  };
  constexpr int rounds = memory_is_watched ? 5 : 20;
  for (int i = 0; i < rounds; ++i) {
    fmap::thread_pool pool{300};
    employ_all(pool);
  }
  for (int i = 0; i < rounds; ++i) {
    caf::actor_system_config config;
    one_scheduler_thread(config);
    caf::actor_system system{config};
    fmap::thread_pool pool{system, {.workers = 300}};
    employ_all(pool);
  }
}
