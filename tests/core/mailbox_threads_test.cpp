// SPDX-License-Identifier: BSD-3-Clause
// Maps on plain threads: results, the bound, order, and that nobody waits for somebody slow.

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <ranges>
#include <thread>
#include <vector>

#include <fmap/future_map.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"
#include "support/thread_rig.hpp"

using fmap::future_map;
using testing::counted;
using testing::eventually;
using testing::made_range;
using testing::numbers;
using testing::thread_rig;

namespace {

constexpr auto twice = [](int x) { return 2 * x; };

/// What is in flight, counted by the range and the consumer and not by the library. The consumer counts
/// a result as taken just before begin() or ++ takes it.
struct flight {
  std::atomic<long> pulled{0}, taken{0}, peak{0};

  long now() const { return pulled - taken; }

  void pull() {
    ++pulled;
    const long n = now();
    for (long seen = peak; seen < n && !peak.compare_exchange_weak(seen, n);) {}
  }

  auto range(std::uint64_t size) {
    return made_range{[this](std::uint64_t i) {
                        pull();
                        return static_cast<int>(i);
                      },
                      size};
  }
};

void give_way(int times) {
  for (int i = 0; i != times; ++i) std::this_thread::yield();
}

/// Keeps all workers of a pool in calls until it is opened.
class plug {
public:
  explicit plug(thread_rig& rig, int workers)
      : consumer_{[this, &rig, workers] {
          testing::all_of(future_map{rig, [this](int x) { return gate_.pass(), x; },
                                     numbers(0, workers), workers});
        }} {
    in_place = eventually([&] { return gate_.waiting() == workers; });
  }
  ~plug() {
    open();
    consumer_.join();
  }
  void open() { gate_.open(); }

  bool in_place;

private:
  testing::gate gate_;
  std::thread consumer_;
};

}  // namespace

TEST_CASE("threads: the results are those of std::transform") {
  const int workers = GENERATE(1, 2, 4);
  const int buffersize = GENERATE(1, 2, 3, 64, 1000);
  thread_rig rig(workers);
  std::vector<int> expected = numbers(0, 3000);
  std::transform(expected.begin(), expected.end(), expected.begin(), twice);
  CHECK(testing::sorted(future_map{rig, twice, numbers(0, 3000), buffersize}) == expected);
  fmap::map_options options;
  options.buffersize = buffersize;
  options.ordered = true;
  CHECK(testing::all_of(future_map{rig, twice, numbers(0, 3000), options}) == expected);
  options.chunksize = std::min(buffersize, 7);
  CHECK(testing::all_of(future_map{rig, twice, numbers(0, 3000), options}) == expected);
}

TEST_CASE("threads: without a buffersize, and with nothing to do") {
  thread_rig rig(2);
  CHECK(testing::sorted(future_map{rig, twice, std::views::iota(0, 50'000)}).back() == 99'998);
  CHECK(testing::all_of(future_map{rig, twice, std::vector<int>{}}).empty());
}

TEST_CASE("threads: never more than buffersize items are in flight, and no fewer if the consumer "
          "is slow") {
  constexpr int workers = 4;
  const int buffersize = GENERATE(1, 2, 3, 4, 5, 1000);
  const bool ordered = GENERATE(false, true);
  CAPTURE(buffersize, ordered);
  thread_rig rig(workers);
  flight f;
  fmap::map_options options;
  options.buffersize = buffersize;
  options.ordered = ordered;
  // Tokens return in groups of an eighth of the buffersize, so that less than that may be missing.
  const long least = buffersize - std::max(buffersize / 8 - 1, 0);
  future_map map{rig, twice, f.range(made_range<int (*)(std::uint64_t)>::endless), options};
  ++f.taken;
  auto it = map.begin();
  for (int i = 0; i != 3 * buffersize; ++i) {
    if (i % std::max(buffersize / 4, 1) == 0) REQUIRE(eventually([&] { return f.now() >= least; }));
    ++f.taken;
    ++it;
  }
  CHECK(f.peak >= least);
  CHECK(f.peak <= buffersize);
  CHECK(map.stats().peak_in_flight <= static_cast<std::uint64_t>(buffersize));
}

TEST_CASE("threads: the bound holds for slow workers, slow sources and random delays") {
  const int buffersize = GENERATE(1, 2, 3, 4, 5, 100);
  const int slow = GENERATE(0, 1, 2, 3);
  CAPTURE(buffersize, slow);
  thread_rig rig(4);
  flight f;
  auto range = made_range{[&](std::uint64_t i) {
                            f.pull();
                            if (slow == 0 || slow == 3) give_way(static_cast<int>(i * 7 % 5));
                            return static_cast<int>(i);
                          },
                          2000};
  auto fn = [&](int x) {
    if (slow == 1 || slow == 3) give_way(x * 13 % 7);
    return 2 * x;
  };
  future_map map{rig, fn, std::move(range), buffersize};
  long sum = 0;
  ++f.taken;
  for (const int result : map) {
    sum += result;
    if (slow >= 2) give_way(result * 11 % 5);
    ++f.taken;
  }
  CHECK(sum == 2000L * 1999);
  CHECK(f.peak <= buffersize);
}

TEST_CASE("threads: a slow item of a batch holds back none of the others") {
  const int slow = GENERATE(0, 4, 7);
  const int workers = GENERATE(2, 3);
  CAPTURE(slow, workers);
  thread_rig rig(workers);
  plug stopper(rig, workers);
  REQUIRE(stopper.in_place);
  std::atomic<int> taken{0};
  bool all_came = false;
  auto fn = [&](int x) {
    if (x == slow) all_came = eventually([&] { return taken == 7; });
    return x;
  };
  fmap::map_options options;
  options.buffersize = options.chunksize = 8;
  future_map map{rig, fn, numbers(0, 8) | testing::by_a_source, options};
  std::thread opener{[&] {
    eventually([&] { return map.stats().queued == 8; });  // they will be one batch
    stopper.open();
  }};
  int last = -1;
  for (const int result : map) {
    last = result;
    ++taken;
  }
  opener.join();
  CHECK(all_came);
  CHECK(last == slow);
}

TEST_CASE(
    "threads: a slow item holds back nothing that was finished before it, even with one worker") {
  thread_rig rig(1);
  plug stopper(rig, 1);
  REQUIRE(stopper.in_place);
  std::atomic<int> taken{0};
  bool all_came = false;
  auto fn = [&](int x) {
    if (x == 4) all_came = eventually([&] { return taken == 4; });
    return x;
  };
  fmap::map_options options;
  options.buffersize = options.chunksize = 8;
  future_map map{rig, fn, numbers(0, 8), options};
  stopper.open();  // the worker pulls all eight together
  for ([[maybe_unused]] const int result : map) ++taken;
  CHECK(all_came);
  CHECK(taken == 8);
}

TEST_CASE("threads: a slow item among many fast ones holds back none of them") {
  const int workers = GENERATE(1, 2, 3);
  constexpr int slow = 10'004, size = 20'000;
  const int others = workers == 1 ? slow : size - 1;
  thread_rig rig(workers);
  std::atomic<int> taken{0};
  bool all_came = false;
  auto fn = [&](int x) {
    if (x == slow) all_came = eventually([&] { return taken >= others; });
    return x;
  };
  for ([[maybe_unused]] const int result : future_map{rig, fn, std::views::iota(0, size), 1024})
    ++taken;
  CHECK(all_came);
  CHECK(taken == size);
}

TEST_CASE("threads: what was pulled arrives while the input blocks") {
  const int buffersize = GENERATE(2, 100, 1024);
  thread_rig rig(2);
  std::atomic<std::uint64_t> taken{0};
  std::uint64_t blocked = 0, missing = 0;
  auto make = [&](std::uint64_t i) {
    if (i == 1 || i == 7 || i == 100 || i == 5000 || i == 5001 || i == 9999) {
      ++blocked;
      if (!eventually([&] { return taken == i; })) ++missing;
    }
    return static_cast<int>(i);
  };
  for ([[maybe_unused]] const int result :
       future_map{rig, twice, made_range{make, 10'000}, buffersize})
    ++taken;
  CHECK(blocked == 6);
  CHECK(missing == 0);
  CHECK(taken == 10'000);
}

TEST_CASE("threads: several maps from several threads on one pool") {
  thread_rig rig(3);
  std::atomic<int> good{0};
  std::vector<std::thread> users;
  for (int user = 0; user != 4; ++user) {
    users.emplace_back([&, user] {
      for (int round = 0; round != 20; ++round) {
        fmap::map_options options;
        options.buffersize = 1 + static_cast<std::size_t>(user * 7 + round);
        options.ordered = user % 2 == 0;
        const auto results =
            testing::sorted(future_map{rig, twice, std::views::iota(0, 500), options});
        if (results.size() == 500 && results.back() == 998) ++good;
      }
    });
  }
  for (auto& user : users) user.join();
  CHECK(good == 80);
}

TEST_CASE("threads: stats() from another thread always adds up") {
  thread_rig rig(2);
  const int buffersize = GENERATE(1, 16, 500);
  future_map map{rig, twice, std::views::iota(0, 10'000), buffersize};
  std::atomic<bool> over{false};
  std::atomic<int> wrong{0};
  std::thread observer{[&] {
    std::uint64_t pulled = 0, taken = 0;
    while (!over) {
      const auto s = map.stats();
      const bool adds_up = s.pulled == s.queued + s.running + s.ready + s.taken + s.dropped;
      const bool bounded = s.in_flight == s.queued + s.running + s.ready
                           && s.in_flight <= s.buffersize && s.peak_in_flight <= s.buffersize;
      if (!adds_up || !bounded || s.pulled < pulled || s.taken < taken) ++wrong;
      pulled = s.pulled;
      taken = s.taken;
      std::this_thread::yield();
    }
  }};
  int n = 0;
  for ([[maybe_unused]] const int result : map)
    if (++n == 8000) break;
  CHECK(map.stats().taken == 8000);
  over = true;
  observer.join();
  CHECK(wrong == 0);
}

TEST_CASE("threads: items and results that can only be moved, none lost or copied") {
  {
    thread_rig rig(2);
    std::vector<std::unique_ptr<int>> input;
    for (int i = 0; i != 1000; ++i) input.push_back(std::make_unique<int>(i));
    auto fn = [](std::unique_ptr<int> x) { return counted{*x}; };
    int sum = 0;
    for (const counted& c : future_map{rig, fn, std::move(input), 10}) sum += c.value();
    CHECK(sum == 999 * 500);
    auto range = made_range{[](std::uint64_t i) { return counted{static_cast<int>(i)}; }, 1000};
    auto pass = [](counted&& c) { return std::move(c); };
    sum = 0;
    for (const counted& c : future_map{rig, pass, std::move(range), 100}) sum += c.value();
    CHECK(sum == 999 * 500);
  }
  CHECK(counted::alive == 0);
  CHECK(counted::copies == 0);
}

TEST_CASE("threads: the storage of a map does not grow with its input") {
  thread_rig rig(2);
  const std::size_t buffersize = GENERATE(1, 64);
  future_map map{rig, twice, std::views::iota(0, 50'000), buffersize};
  CHECK(testing::all_of(map).size() == 50'000);
  // Each item in flight may keep one chunk; then there is the one being filled and the one being read.
  CHECK(rig.core()->latest()->chunks.size() <= buffersize + 2);
}
