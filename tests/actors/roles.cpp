// SPDX-License-Identifier: BSD-3-Clause
// What each actor does, step by step, and who falls when one is killed.
#include <cstdint>
#include <stdexcept>
#include <string>

#include <fmap/errors.hpp>

#include "actors/protocol.hpp"
#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/stepped_pool.hpp"

using namespace testing;

namespace {

constexpr std::uint64_t endless = ~std::uint64_t{0};

counted number(std::uint64_t i) { return counted{static_cast<int>(i)}; }
counted same(counted c) { return c; }

fmap::actors::run_limits bound(std::uint64_t buffersize) {
  fmap::actors::run_limits limits;
  limits.buffersize = buffersize;
  return limits;
}

std::uint64_t drain(stepped_pool& pool, stepped_run& run) {
  std::uint64_t outcomes = 0;
  while (!run.over()) {
    if (run.take())
      ++outcomes;
    else if (!run.over())
      pool.settle();
  }
  return outcomes;
}

}  // namespace

TEST_CASE("a pool is one actor until there is work") {
  stepped_pool pool{1, 4};
  pool.settle();
  CHECK(pool.world.running() == 1);
  CHECK(pool.world.named("fmap.worker").empty());
}

TEST_CASE("the source pulls only when it is stepped, and then as far as its tokens go") {
  stepped_pool pool{1, 2};
  std::uint64_t pulled = 0;
  stepped_run run{pool, bound(5), endless,
                  [&](std::uint64_t i) {
                    ++pulled;
                    return number(i);
                  },
                  same};
  CHECK(pulled == 0);
  pool.settle();
  CHECK(pulled == 5);
  REQUIRE(run.take());
  run.give_tokens_back();
  CHECK(pulled == 5);
  pool.settle();
  CHECK(pulled == 6);
}

TEST_CASE("when all stand still, no message and no tick is under way") {
  stepped_pool pool{1, 3};
  stepped_run run{pool, bound(16), endless, number, same};
  pool.settle();
  CHECK_FALSE(pool.world.has_job());
  CHECK_FALSE(pool.world.waits_for_time());
}

TEST_CASE("not more workers are started than the pool may have") {
  stepped_pool pool{1, 3};
  stepped_run run{pool, bound(64), 5000, number, same};
  CHECK(drain(pool, run) == 5000);
  CHECK(pool.world.named("fmap.worker").size() <= 3);
}

TEST_CASE("the source ends with its input") {
  stepped_pool pool{1, 1};
  stepped_run run{pool, bound(4), 10, number, same};
  CHECK(drain(pool, run) == 10);
  pool.settle();
  CHECK(pool.world.running() == 2);  // supervisor and worker
}

TEST_CASE("a killed source ends the run with an error after what it had pulled") {
  stepped_pool pool{1, 2};
  stepped_run run{pool, bound(4), endless, number, same};
  pool.settle();
  pool.world.kill(pool.world.named("fmap.source").at(0));
  pool.settle();
  CHECK(drain(pool, run) == 4);
  REQUIRE(run.input_error());
  CHECK(message_of(run.input_error()).find("source") != std::string::npos);
}

TEST_CASE("a source that is killed before it has pulled anything ends the run with an error") {
  stepped_pool pool{1, 2};
  pool.settle();
  stepped_run run{pool, bound(4), endless, number, same};
  pool.world.kill(pool.world.named("fmap.source").at(0));
  CHECK(drain(pool, run) <= 4);
  CHECK(run.input_error());
}

TEST_CASE("a killed worker is replaced when there is work again") {
  stepped_pool pool{1, 1};
  stepped_run run{pool, bound(4), endless, number, same};
  pool.settle();
  REQUIRE(pool.world.named("fmap.worker").size() == 1);
  for (std::size_t deaths = 1; deaths != 5; ++deaths) {
    pool.world.kill(pool.world.named("fmap.worker").back());
    pool.settle();
    for (int i = 0; i < 8; ++i) {
      CHECK(run.take());
      run.give_tokens_back();
      pool.settle();
    }
    CHECK(pool.world.named("fmap.worker").size() == deaths + 1);
  }
}

TEST_CASE("a killed supervisor breaks the pool, and nobody waits for it") {
  stepped_pool pool{1, 2};
  stepped_run run{pool, bound(4), endless, number, same};
  pool.settle();
  pool.world.kill(pool.world.named("fmap.supervisor").at(0));
  pool.settle();
  CHECK(drain(pool, run) >= 4);
  CHECK_THROWS_AS(run.throw_if_cut(), fmap::broken_pool);
  CHECK_THROWS_AS((stepped_run{pool, bound(1), 1, number, same}), fmap::broken_pool);
}

TEST_CASE("a supervisor that is killed before its first worker leaves errors, not silence") {
  stepped_pool pool{1, 2};
  stepped_run run{pool, bound(4), 3, number, same};
  pool.world.kill(pool.world.named("fmap.supervisor").at(0));
  std::uint64_t errors = 0;
  while (!run.over()) {
    if (const auto outcome = run.take())
      errors += outcome->error != nullptr;
    else
      pool.settle();
  }
  CHECK(errors <= 3);
  CHECK_THROWS_AS((stepped_run{pool, bound(1), 1, number, same}), fmap::broken_pool);
}

TEST_CASE("a failing initializer breaks the pool before any item runs") {
  stepped_pool pool{1, 2, [] { throw std::runtime_error{"no licence"}; }};
  int calls = 0;
  stepped_run run{pool, bound(4), endless, number, [&](counted c) {
                    ++calls;
                    return c;
                  }};
  const std::uint64_t outcomes = drain(pool, run);
  CHECK(outcomes == run.stats().counts.pulled);
  CHECK(run.stats().failed == outcomes);
  CHECK(calls == 0);
  CHECK_THROWS_AS(run.throw_if_cut(), fmap::broken_pool);
}

TEST_CASE("superfluous doorbells do no harm") {
  stepped_pool pool{1, 2};
  stepped_run run{pool, bound(4), 100, number, same};
  pool.settle();
  using namespace fmap::actors;
  for (const auto& who : pool.world.named("fmap.worker")) post(who, wake{});
  for (const auto& who : pool.world.named("fmap.source")) post(who, fmap::demand{1000});
  for (const auto& who : pool.world.named("fmap.supervisor")) {
    post(who, wake{});
    for (const std::uint64_t number : {0, 1}) post(who, tick{number});
  }
  pool.settle();
  CHECK(run.stats().counts.pulled <= 4);
  CHECK(drain(pool, run) == 100);
}

TEST_CASE("two runs of one pool are served in turn") {
  stepped_pool pool{1, 1};
  stepped_run a{pool, bound(4), endless, number, same};
  stepped_run b{pool, bound(4), endless, number, same};
  pool.settle();
  CHECK(a.stats().ready == 4);
  CHECK(b.stats().ready == 4);
}

TEST_CASE("after a shutdown all actors end") {
  stepped_pool pool{1, 3};
  {
    stepped_run run{pool, bound(8), endless, number, same};
    pool.settle();
    CHECK(pool.world.running() >= 3);
    pool.shut_down();
    CHECK(drain(pool, run) == 8);
    CHECK_THROWS_AS(run.throw_if_cut(), fmap::pool_shutdown);
  }
  CHECK(pool.world.running() == 0);
  CHECK(counted::alive == 0);
}
