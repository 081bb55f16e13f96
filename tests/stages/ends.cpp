// SPDX-License-Identifier: BSD-3-Clause
// Actor systems that end, whatever state their stages are in, and pools that end under a stage.
#include <atomic>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>

#include <fmap/fmap.hpp>
#include <fmap/stage.hpp>

#include "support/catch.hpp"
#include "support/puppet.hpp"

using namespace testing;

namespace {

int next(int x) { return x + 1; }

struct world {
  fmap::actor_system_config config;
  caf::actor_system system{config};
};

}  // namespace

TEST_CASE("an actor system ends while its stages are alive, full, waiting or never connected") {
  for (int i = 0; i != 20; ++i) {
    std::atomic<long> calls{0};
    world w;
    const caf::actor unused = fmap::spawn_stage<int, int>(w.system, next, {.workers = 1});
    const caf::actor waiting = fmap::spawn_stage<int, int>(w.system, next, {.workers = 1});
    const caf::actor unused_source = fmap::spawn_source(w.system, std::views::iota(0)),
                     unused_sink = fmap::spawn_sink<int>(w.system, [](int) {});
    const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0)),
                     full = fmap::spawn_stage<int, int>(w.system,
                                                        [&](int x) {
                                                          ++calls;
                                                          return x;
                                                        },
                                                        {.workers = 2, .buffersize = 8});
    const caf::actor busy_source = fmap::spawn_source(w.system, std::views::iota(0)),
                     busy = fmap::spawn_stage<int, int>(w.system, next, {.buffersize = 8}),
                     sink = fmap::spawn_sink<int>(w.system, [&](int) { ++calls; });
    puppet down{w.system};
    down.tells(waiting, fmap::attach_sink{});
    down.tells(waiting, fmap::demand{5});
    fmap::connect(source, full);
    fmap::connect(busy_source, busy);
    fmap::connect(busy, sink);
    REQUIRE(eventually([&] { return calls >= 8 + i; }));
  }
}

TEST_CASE("an actor system ends with a stage on a pool that lives on") {
  fmap::thread_pool pool{2};
  for (int i = 0; i != 20; ++i) {
    std::atomic<long> calls{0};
    world w;
    const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0)),
                     stage = fmap::spawn_stage<int, int>(w.system, pool, next, {.buffersize = 8}),
                     sink = fmap::spawn_sink<int>(w.system, [&](int) { ++calls; });
    fmap::connect(source, stage);
    fmap::connect(stage, sink);
    REQUIRE(eventually([&] { return calls > i; }));
  }
  CHECK(pool.submit(next, 1).get() == 2);
}

TEST_CASE("a stage is dropped while its function runs") {
  gate hold;
  world w;
  puppet up{w.system};
  opens_at_exit guard{hold};
  fmap::thread_pool pool{w.system, {.workers = 1}};
  caf::actor stage = fmap::spawn_stage<int, int>(w.system, pool,
                                                 [&](int x) {
                                                   hold.pass();
                                                   return x;
                                                 },
                                                 {.buffersize = 4});
  up.tells(stage, fmap::attach_source{});
  CHECK(up.heard(1) == lines{"demand 4"});
  for (int i = 0; i != 4; ++i) up.tells(stage, i);
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  stage = nullptr;
  CHECK(up.heard(1) == lines{"stop: fmap: the stage ended before its work was done" + no_handle});
  hold.open();
  CHECK(pool.submit(next, 1).get() == 2);
}

TEST_CASE("a pool is shut down in a handler, on the only thread that could move its stage") {
  const int throughput = GENERATE(0, 1, 3, 50);
  const bool destroyed = GENERATE(false, true);
  for (int i = 0; i != 30; ++i) {
    fmap::actor_system_config config;
    one_scheduler_thread(config, throughput);
    caf::actor_system system{config};
    auto pool =
        std::make_unique<fmap::thread_pool>(system, fmap::thread_pool_options{.workers = 1});
    std::atomic<long> items{0}, got{0};
    const caf::actor source = fmap::spawn_source(system, std::views::iota(0)),
                     stage = fmap::spawn_stage<int, int>(system, *pool,
                                                         [&](int x) {
                                                           ++items;
                                                           return x;
                                                         },
                                                         {.buffersize = 256}),
                     sink = fmap::spawn_sink<int>(system, [&](int) { ++got; });
    const obituary end{sink};
    fmap::connect(source, stage);
    fmap::connect(stage, sink);
    REQUIRE(eventually([&] { return got > i; }));
    puppet ender{system};
    std::atomic<bool> over{false};
    fmap::actors::post(ender.actor(), command{[&](caf::event_based_actor*) {
                         if (destroyed)
                           pool.reset();
                         else
                           pool->shutdown();
                         over = true;
                       }});
    REQUIRE(eventually([&] { return over.load(); }));
    const long so_far = items;
    CHECK(end.awaited() == "fmap: the pool was shut down before the map's input was at its end");
    CHECK(items == so_far);
  }
}

TEST_CASE("a pool is shut down, or breaks, under a stage") {
  world w;
  puppet up{w.system}, down{w.system};
  SECTION("shut down") {
    fmap::thread_pool pool{2};
    const caf::actor stage = fmap::spawn_stage<int, int>(w.system, pool, next, {.buffersize = 4});
    down.tells(stage, fmap::attach_sink{});
    down.tells(stage, fmap::demand{10});
    up.tells(stage, fmap::attach_source{});
    CHECK(up.heard(1) == lines{"demand 4"});
    pool.shutdown();
    const std::string why = "fmap: the pool was shut down before the map's input was at its end";
    CHECK(up.heard(1) == lines{"stop: " + why});
    CHECK(down.heard(1) == lines{"end: " + why});
  }
  SECTION("its initializer throws") {
    fmap::thread_pool pool{{.workers = 1, .initializer = [] { throw std::runtime_error{"no"}; }}};
    const caf::actor stage = fmap::spawn_stage<int, int>(w.system, pool, next, {.buffersize = 4});
    down.tells(stage, fmap::attach_sink{});
    down.tells(stage, fmap::demand{10});
    up.tells(stage, fmap::attach_source{});
    CHECK(up.heard(1) == lines{"demand 4"});
    up.tells(stage, 1);
    const lines told = down.heard(2);
    REQUIRE(told.size() == 2);
    CHECK(told[0].substr(0, 10) == "failure 0 ");
    CHECK(told[1].substr(0, 5) == "end: ");
    const lines stopped = up.heard(1);
    REQUIRE_FALSE(stopped.empty());
    CHECK(stopped.back().substr(0, 6) == "stop: ");
  }
  CHECK(up.alive());
  CHECK(down.alive());
}
