// SPDX-License-Identifier: BSD-3-Clause
// The bound, measured by the test's own input: pulled minus taken never exceeds the buffersize.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"

using namespace testing;

namespace {

constexpr std::uint64_t workers = 4;

void a_moment() { std::this_thread::sleep_for(std::chrono::milliseconds{1}); }

/// Counts on both ends. The source counts an item when it pulls it; the consumer counts a result just
/// before it takes it, since its token goes back within.
struct meter {
  std::atomic<std::uint64_t> taken{0};
  std::atomic<std::uint64_t> pulled{0};
  std::atomic<std::int64_t> peak{0};

  void pull() {
    // Read first: taking more in between makes the measured peak smaller, never larger.
    const auto before = static_cast<std::int64_t>(taken.load());
    const auto now = static_cast<std::int64_t>(++pulled) - before;
    if (now > peak) peak = now;  // only the source writes
  }
};

struct pace {
  bool slow_source = false, slow_worker = false, slow_consumer = false;
};

/// Runs `items` items through and returns the peak.
std::int64_t measure(std::uint64_t buffersize, std::uint64_t items, pace p,
                     fmap::map_options options = {}) {
  fmap::thread_pool pool{workers};
  meter m;
  options.buffersize = buffersize;
  made_range input{[&](std::uint64_t i) {
                     if (p.slow_source) a_moment();
                     m.pull();
                     return i;
                   },
                   items};
  std::once_flag full;
  fmap::future_map map{pool,
                       [&](std::uint64_t i) {
                         if (p.slow_worker) a_moment();
                         // There is no result before the bound is reached, and none is taken uncounted.
                         if (p.slow_consumer)
                           std::call_once(full, [&] {
                             eventually([&] { return m.pulled == std::min(items, buffersize); });
                             ++m.taken;
                           });
                         return i;
                       },
                       std::move(input), options};
  std::uint64_t results = 0, sum = 0;
  if (!p.slow_consumer) ++m.taken;
  for (auto it = map.begin(); it != map.end(); ++it) {
    sum += *it;
    ++results;
    if (p.slow_consumer) {
      // Does not move until everything that may be in flight is: all tokens are used, short of those
      // that are still held back to return as a group.
      const std::uint64_t group = std::max<std::uint64_t>(buffersize / 8, 1);
      REQUIRE(
          eventually([&] { return m.pulled == items || m.pulled + group > results + buffersize; }));
    }
    ++m.taken;
  }
  CHECK(results == items);
  CHECK(sum == items * (items - 1) / 2);
  CHECK(map.stats().peak_in_flight <= buffersize);
  return m.peak;
}

}  // namespace

TEST_CASE("the bound holds, and a slow consumer reaches it") {
  const auto n = GENERATE(as<std::uint64_t>{}, 1, 2, workers - 1, workers, workers + 1, 1000);
  CAPTURE(n);
  CHECK(measure(n, 3 * n + 50, {.slow_consumer = true}) == static_cast<std::int64_t>(n));
}

TEST_CASE("the bound holds with slow workers") {
  const auto n = GENERATE(as<std::uint64_t>{}, 1, 2, workers - 1, workers, workers + 1, 1000);
  CAPTURE(n);
  CHECK(measure(n, n == 1000 ? 1200 : 60, {.slow_worker = true}) <= static_cast<std::int64_t>(n));
}

TEST_CASE("the bound holds with a slow source") {
  const auto n = GENERATE(as<std::uint64_t>{}, 1, 2, workers - 1, workers, workers + 1, 1000);
  CAPTURE(n);
  CHECK(measure(n, 60, {.slow_source = true}) <= static_cast<std::int64_t>(n));
}

TEST_CASE("the bound holds at full speed") {
  const auto n = GENERATE(as<std::uint64_t>{}, 1, 2, workers - 1, workers, workers + 1, 1000);
  CAPTURE(n);
  CHECK(measure(n, n < workers ? 3000 : 100'000, {}) <= static_cast<std::int64_t>(n));
}

TEST_CASE("the bound holds for ordered results") {
  const auto n = GENERATE(as<std::uint64_t>{}, 1, workers, 100);
  CAPTURE(n);
  CHECK(measure(n, 5000, {}, {.ordered = true}) <= static_cast<std::int64_t>(n));
  CHECK(measure(n, 5 * n, {.slow_consumer = true}, {.ordered = true})
        == static_cast<std::int64_t>(n));
}

TEST_CASE("the bound holds with a fixed batch size") {
  CHECK(measure(64, 20'000, {}, {.chunksize = 64}) <= 64);
  CHECK(measure(64, 20'000, {}, {.chunksize = 1}) <= 64);
  CHECK(measure(10, 2000, {.slow_consumer = true}, {.chunksize = 7}) == 10);
}

TEST_CASE("the bound holds when items throw") {
  fmap::thread_pool pool{workers};
  meter m;
  made_range input{[&](std::uint64_t i) {
                     m.pull();
                     return i;
                   },
                   20'000};
  fmap::future_map map{pool,
                       [](std::uint64_t i) {
                         if (i % 3 == 0) throw i;
                         return i;
                       },
                       std::move(input), 16};
  auto outcomes = map.outcomes();
  ++m.taken;
  for (auto it = outcomes.begin(); it != outcomes.end(); ++it) ++m.taken;
  CHECK(m.taken == 20'001);
  CHECK(m.peak <= 16);
}
