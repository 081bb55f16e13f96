// SPDX-License-Identifier: BSD-3-Clause
// Stop tokens and timeouts.
#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"

using namespace testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

int same(int x) { return x; }

}  // namespace

TEST_CASE("a stop that was requested before the map is made ends it at once") {
  fmap::thread_pool pool{2};
  std::stop_source stop;
  stop.request_stop();
  std::atomic<int> pulled{0};
  made_range input{[&](std::uint64_t i) {
    ++pulled;
    return static_cast<int>(i);
  }};
  fmap::future_map map{pool, same, std::move(input),
                       fmap::map_options{.buffersize = 4, .stop = stop.get_token()}};
  CHECK(map.begin() == map.end());
  CHECK(map.stats().pulled == 0);
  CHECK(pulled == 0);
}

TEST_CASE("a stop between construction and begin() ends the map") {
  fmap::thread_pool pool{2};
  std::stop_source stop;
  fmap::future_map map{pool, same, std::views::iota(0),
                       fmap::map_options{.buffersize = 4, .stop = stop.get_token()}};
  stop.request_stop();
  CHECK(map.begin() == map.end());
  CHECK(map.stats().pulled == 0);
}

TEST_CASE("a stop ends the iteration, and the current result stays valid") {
  fmap::thread_pool pool{2};
  std::stop_source stop;
  fmap::future_map map{pool, [](int i) { return counted{i}; }, std::views::iota(0),
                       fmap::map_options{.buffersize = 8, .stop = stop.get_token()}};
  auto it = map.begin();
  ++it;
  REQUIRE(it != map.end());
  stop.request_stop();
  CHECK(it->value() != counted::gone);
  ++it;
  CHECK(it == map.end());
  CHECK(map.begin() == map.end());
  const auto s = map.stats();
  CHECK(s.taken == 2);
  CHECK(s.pulled == s.queued + s.running + s.ready + s.taken + s.dropped);
}

TEST_CASE("a stop from another thread wakes a consumer that waits for the input") {
  fmap::thread_pool pool{2};
  std::stop_source stop;
  gate input_hangs;
  opens_at_exit guard{input_hangs};
  made_range input{[&](std::uint64_t i) {
    input_hangs.pass();
    return i;
  }};
  fmap::future_map map{pool, [](std::uint64_t i) { return i; }, std::move(input),
                       fmap::map_options{.buffersize = 4, .stop = stop.get_token()}};
  std::jthread stopper{[&] {
    eventually([&] { return input_hangs.waiting() == 1; });
    stop.request_stop();
  }};
  CHECK(map.begin() == map.end());  // although the input still hangs
  CHECK(input_hangs.waiting() == 1);
  input_hangs.open();
}

TEST_CASE("a stop from another thread wakes a consumer that waits for a worker") {
  fmap::thread_pool pool{2};
  std::stop_source stop;
  gate worker_hangs;
  opens_at_exit guard{worker_hangs};
  fmap::future_map map{pool,
                       [&](int i) {
                         worker_hangs.pass();
                         return i;
                       },
                       std::views::iota(0),
                       fmap::map_options{.buffersize = 4, .stop = stop.get_token()}};
  std::jthread stopper{[&] {
    eventually([&] { return worker_hangs.waiting() == 2; });
    stop.request_stop();
  }};
  CHECK(map.begin() == map.end());
  CHECK(worker_hangs.waiting() == 2);
  worker_hangs.open();
}

TEST_CASE("the function may request the stop itself") {
  fmap::thread_pool pool{2};
  std::stop_source stop;
  fmap::future_map map{pool,
                       [&](int i) {
                         if (i == 100) stop.request_stop();
                         return i;
                       },
                       std::views::iota(0),
                       fmap::map_options{.buffersize = 4, .stop = stop.get_token()}};
  int results = 0;
  for ([[maybe_unused]] int v : map) ++results;
  CHECK(results <= 104);
  CHECK(map.stats().pulled <= 108);
}

TEST_CASE("after a stop nothing is pulled and nothing queued is run") {
  fmap::thread_pool pool{1};
  std::stop_source stop;
  gate hold;
  opens_at_exit guard{hold};
  std::atomic<int> calls{0};
  {
    fmap::future_map map{pool,
                         [&](int i) {
                           ++calls;
                           hold.pass();
                           return i;
                         },
                         std::views::iota(0) | by_a_source,
                         fmap::map_options{.buffersize = 8, .stop = stop.get_token()}};
    std::jthread stopper{[&] {
      eventually([&] { return map.stats().pulled == 8 && hold.waiting() == 1; });
      stop.request_stop();
    }};
    CHECK(map.begin() == map.end());
    CHECK(map.stats().pulled == 8);
    hold.open();
  }
  CHECK(calls == 1);
}

TEST_CASE("requesting a stop after the map is gone does nothing") {
  fmap::thread_pool pool{2};
  std::stop_source stop;
  {
    fmap::future_map map{pool, same, std::views::iota(0, 3),
                         fmap::map_options{.buffersize = 4, .stop = stop.get_token()}};
    CHECK(all_of(map).size() == 3);
  }
  CHECK(stop.request_stop());
}

TEST_CASE("a timeout throws when no result is ready in time, and the map is at its end") {
  fmap::thread_pool pool{2};
  gate hold;
  opens_at_exit guard{hold};
  fmap::future_map map{pool,
                       [&](int i) {
                         if (i == 1) hold.pass();
                         return i;
                       },
                       std::views::iota(0, 2),
                       fmap::map_options{.buffersize = 1, .timeout = 200ms}};
  const auto begun = steady_clock::now();
  auto it = map.begin();
  CHECK(*it == 0);
  CHECK_THROWS_AS(++it, fmap::timeout_error);
  CHECK(steady_clock::now() - begun >= 200ms);
  CHECK(map.begin() == map.end());
  hold.open();
}

TEST_CASE("the timeout runs from the start of the iteration, not of the map") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::views::iota(0, 2),
                       fmap::map_options{.buffersize = 2, .timeout = 30s}};
  std::this_thread::sleep_for(20ms);  // on purpose: time passes before begin()
  CHECK(all_of(map).size() == 2);

  fmap::future_map late{pool, same, std::views::iota(0, 2),
                        fmap::map_options{.buffersize = 2, .timeout = 500ms}};
  std::this_thread::sleep_for(600ms);
  CHECK(all_of(late).size() == 2);
}

TEST_CASE("results that are ready are handed out after the deadline") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::views::iota(0),
                       fmap::map_options{.buffersize = 8, .timeout = 300ms}};
  const auto begun = steady_clock::now();
  auto it = map.begin();
  REQUIRE(eventually([&] { return map.stats().ready == 8; }));
  REQUIRE(eventually([&] { return steady_clock::now() - begun > 350ms; }));
  for (int i = 0; i < 8; ++i) CHECK_NOTHROW(++it);
}

TEST_CASE("with a timeout of 0 only what is ready is handed out") {
  fmap::thread_pool pool{2};
  gate hold;
  opens_at_exit guard{hold};
  fmap::future_map map{pool,
                       [&](int i) {
                         hold.pass();
                         return i;
                       },
                       std::views::iota(0), fmap::map_options{.buffersize = 4, .timeout = 0ns}};
  CHECK_THROWS_AS(map.begin(), fmap::timeout_error);
  hold.open();
}

TEST_CASE("a huge timeout is no timeout") {
  fmap::thread_pool pool{2};
  CHECK(all_of(fmap::future_map(
                   pool, same, std::views::iota(0, 100),
                   fmap::map_options{.buffersize = 4, .timeout = std::chrono::nanoseconds::max()}))
            .size()
        == 100);
  CHECK(all_of(fmap::future_map(pool, same, std::views::iota(0, 100),
                                fmap::map_options{.buffersize = 4,
                                                  .timeout = std::chrono::hours{24 * 365 * 200}}))
            .size()
        == 100);
}

TEST_CASE("a map that timed out is left like any other") {
  fmap::thread_pool pool{2};
  gate hold;
  {
    fmap::future_map map{pool,
                         [&](int i) {
                           hold.pass();
                           return counted{i};
                         },
                         std::views::iota(0), fmap::map_options{.buffersize = 4, .timeout = 1ms}};
    CHECK_THROWS_AS(map.begin(), fmap::timeout_error);
    hold.open();
  }
  CHECK(counted::alive == 0);
}
