// SPDX-License-Identifier: BSD-3-Clause
// stats(): one consistent snapshot.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"

using namespace testing;

namespace {

int same(int x) { return x; }

bool adds_up(const fmap::map_stats& s) {
  return s.pulled == s.queued + s.running + s.ready + s.taken && s.in_flight <= s.buffersize
         && s.in_flight == s.queued + s.running + s.ready && s.peak_in_flight <= s.buffersize
         && s.peak_in_flight >= s.in_flight && s.dropped == 0;
}

}  // namespace

TEST_CASE("stats() of a map that has not begun are zero") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::views::iota(0), 8};
  const auto s = map.stats();
  CHECK(s.buffersize == 8);
  CHECK(s.pulled + s.queued + s.running + s.ready + s.taken + s.failed + s.in_flight == 0);
  CHECK(s.elapsed >= std::chrono::nanoseconds::zero());
}

TEST_CASE("stats() add up at any moment, seen from another thread") {
  fmap::thread_pool pool{3};
  fmap::future_map map{pool, same, std::views::iota(0, 20'000), 64};
  std::atomic<bool> over{false};
  std::atomic<int> snapshots{0}, wrong{0};
  std::jthread observer{[&] {
    std::uint64_t pulled = 0, taken = 0;
    while (!over) {
      const auto s = map.stats();
      if (!adds_up(s) || s.pulled < pulled || s.taken < taken) ++wrong;
      pulled = s.pulled;
      taken = s.taken;
      ++snapshots;
      std::this_thread::yield();
    }
  }};
  int results = 0;
  for ([[maybe_unused]] int v : map) ++results;
  over = true;
  observer.join();
  CHECK(results == 20'000);
  CHECK(wrong == 0);
  CHECK(snapshots > 0);
}

TEST_CASE("stats() are exact when everybody stands still") {
  fmap::thread_pool pool{2};
  gate hold;
  opens_at_exit guard{hold};
  fmap::future_map map{pool,
                       [&](int i) {
                         if (i == 1) throw std::runtime_error{"one"};
                         if (i > 3) hold.pass();
                         return i;
                       },
                       std::views::iota(0) | by_a_source,
                       fmap::map_options{.buffersize = 8, .chunksize = 1, .ordered = true}};
  CHECK(*map.begin() == 0);
  REQUIRE(eventually([&] { return hold.waiting() == 2; }));
  REQUIRE(eventually([&] { return map.stats().pulled == 9; }));
  const auto s = map.stats();
  CHECK(s.taken == 1);
  CHECK(s.ready == 3);
  CHECK(s.running == 2);
  CHECK(s.queued == 3);
  CHECK(s.failed == 1);
  CHECK(s.in_flight == 8);
  CHECK(s.peak_in_flight == 8);
  CHECK(s.retried == 0);
  CHECK(s.quarantined == 0);
  hold.open();
}

TEST_CASE("stats() after the end show everything taken") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::views::iota(0, 1000), 16};
  CHECK(all_of(map).size() == 1000);
  const auto s = map.stats();
  CHECK(s.pulled == 1000);
  CHECK(s.taken == 1000);
  CHECK(s.in_flight == 0);
  CHECK(s.peak_in_flight >= 1);
  CHECK(s.elapsed > std::chrono::nanoseconds::zero());
}

TEST_CASE("stats() count a result as taken when it is made current") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::views::iota(0, 100), 16};
  auto it = map.begin();
  for (std::uint64_t taken = 1; taken <= 100; ++taken, ++it) REQUIRE(map.stats().taken == taken);
}
