// SPDX-License-Identifier: BSD-3-Clause
// Several maps on one pool, and who holds up whom: nobody.
#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"

using namespace testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

int same(int x) { return x; }

/// A source of ints that hangs at the first.
auto hanging(gate& g) {
  return made_range{[&g](std::uint64_t i) {
    g.pass();
    return static_cast<int>(i);
  }};
}

/// Occupies the processor.
int busy_for(std::chrono::microseconds time, int x) {
  const auto until = steady_clock::now() + time;
  while (steady_clock::now() < until) {}
  return x;
}

struct share {
  std::chrono::microseconds cost;
  fmap::map_options options;
};

/// How much of the workers' time each of two runs gets in about a second, as results times cost; the
/// larger through the smaller.
double imbalance(const share& a, const share& b) {
  fmap::thread_pool pool{2};
  std::atomic<bool> stop{false};
  std::atomic<int> ready{0};
  const auto consume = [&](const share& s) {
    std::atomic<std::int64_t> worked{0};
    fmap::future_map map{pool,
                         [&, cost = s.cost](int x) {
                           const auto begun = steady_clock::now();
                           if (cost >= 1ms)
                             std::this_thread::sleep_for(cost);  // time of a worker is time
                           else
                             busy_for(cost, x);
                           if (ready == 2) worked += (steady_clock::now() - begun).count();
                           return x;
                         },
                         std::views::iota(0), s.options};
    bool counted = false;
    for ([[maybe_unused]] int v : map) {
      if (!std::exchange(counted, true)) ++ready;
      if (stop) break;
    }
    return worked.load();
  };
  std::int64_t first = 0, second = 0;
  {
    std::jthread one{[&] { first = consume(a); }};
    std::jthread two{[&] { second = consume(b); }};
    eventually([&] { return ready == 2; });
    std::this_thread::sleep_for(1s);  // what is measured is what happens in a second
    stop = true;
  }
  const auto [less, more] = std::minmax(first, second);
  return static_cast<double>(more) / static_cast<double>(std::max<std::int64_t>(less, 1));
}

}  // namespace

TEST_CASE("a blocked worker holds up neither the other worker nor the other map") {
  fmap::thread_pool pool{2};
  gate hold;
  opens_at_exit guard{hold};
  fmap::future_map blocked{pool,
                           [&](int i) {
                             hold.pass();
                             return i;
                           },
                           std::views::iota(0, 1), 4};
  std::jthread waits{[&] { CHECK(all_of(blocked).size() == 1); }};
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  CHECK(sorted(fmap::future_map(pool, same, std::views::iota(0, 5000), 32)) == numbers(0, 5000));
  CHECK(hold.waiting() == 1);
  hold.open();
}

TEST_CASE("a blocked item lets all other items of its run pass") {
  fmap::thread_pool pool{2};
  gate hold;
  opens_at_exit guard{hold};
  fmap::future_map map{pool,
                       [&](int i) {
                         if (i == 500) hold.pass();
                         return i;
                       },
                       std::views::iota(0, 50'000), 256};
  int results = 0;
  for ([[maybe_unused]] int v : map)
    if (++results == 49'999) hold.open();
  CHECK(results == 50'000);
}

TEST_CASE("a blocked item holds back neither what was finished before it nor what has not begun") {
  fmap::thread_pool pool{1};
  gate hold;
  opens_at_exit guard{hold};
  // One batch of eight on the only worker: the first three are finished when the fourth hangs.
  fmap::future_map map{pool,
                       [&](int i) {
                         if (i == 3) hold.pass();
                         return i;
                       },
                       std::views::iota(0, 8), fmap::map_options{.buffersize = 8, .chunksize = 8}};
  auto it = map.begin();
  CHECK(*it == 0);
  CHECK(*++it == 1);
  CHECK(*++it == 2);
  CHECK(eventually([&] { return map.stats().running == 1 && map.stats().queued == 4; }));
  hold.open();
  CHECK(all_of(map).size() == 6);  // the current one, and the rest
}

TEST_CASE("with all workers blocked, a source still pulls up to its bound") {
  fmap::thread_pool pool{2};
  gate hold;
  opens_at_exit guard{hold};
  fmap::future_map map{pool,
                       [&](int i) {
                         if (i != 0) hold.pass();
                         return i;
                       },
                       std::views::iota(0) | by_a_source, 10};
  CHECK(*map.begin() == 0);
  CHECK(eventually([&] { return map.stats().pulled == 11; }));
  hold.open();
}

TEST_CASE("a blocked source holds up no other map, and not its own results") {
  fmap::thread_pool pool{2};
  gate hold;
  opens_at_exit guard{hold};
  made_range input{[&](std::uint64_t i) {
    if (i == 3) hold.pass();
    return static_cast<int>(i);
  }};
  fmap::future_map slow{pool, same, std::move(input), 8};
  auto it = slow.begin();
  ++it;
  ++it;  // hangs if a result waits for the source
  CHECK(all_of(fmap::future_map(pool, same, std::views::iota(0, 1000), 8)).size() == 1000);
  CHECK(hold.waiting() == 1);
  hold.open();
}

TEST_CASE("many sources may hang at once") {
  fmap::thread_pool pool{1};
  gate hold;
  opens_at_exit guard{hold};
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 20; ++i)
    waiting.emplace_back([&] {
      fmap::future_map map{pool, same, hanging(hold), 2};
      map.begin();
    });
  REQUIRE(eventually([&] { return hold.waiting() == 20; }));
  CHECK(all_of(fmap::future_map(pool, same, std::views::iota(0, 1000), 8)).size() == 1000);
  hold.open();
}

TEST_CASE("a consumer that does not move holds up no other map") {
  fmap::thread_pool pool{1};
  std::vector<fmap::future_map<int>> standing;
  for (int i = 0; i < 20; ++i) {
    standing.emplace_back(pool, same, std::views::iota(0), 16);
    CHECK(standing.back().begin() != standing.back().end());
  }
  CHECK(sorted(fmap::future_map(pool, same, std::views::iota(0, 5000), 16)) == numbers(0, 5000));
}

TEST_CASE("one thread may read several maps in turn") {
  fmap::thread_pool pool{2};
  fmap::future_map a{pool, same, std::views::iota(0, 1000), 8};
  fmap::future_map b{pool, same, std::views::iota(0, 1000), 8};
  auto i = a.begin();
  auto j = b.begin();
  int results = 0;
  for (; i != a.end() && j != b.end(); ++i, ++j) results += 2;
  CHECK(results == 2000);
}

TEST_CASE("many maps run at once, each gets its own results") {
  fmap::thread_pool pool{3};
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> consumers;
    for (int c = 0; c < 12; ++c)
      consumers.emplace_back([&, c] {
        for (int round = 0; round < 10; ++round)
          if (sorted(
                  fmap::future_map(pool, same, std::views::iota(1000 * c, 1000 * c + 300), 1 + c))
              != numbers(1000 * c, 1000 * c + 300))
            ++wrong;
      });
  }
  CHECK(wrong == 0);
}

TEST_CASE("a map may be read inside a function on another pool") {
  fmap::thread_pool outer{2}, inner{2};
  fmap::future_map map{outer,
                       [&](int n) {
                         int sum = 0;
                         for (int v : fmap::future_map(inner, same, std::views::iota(0, n), 4))
                           sum += v;
                         return sum;
                       },
                       std::views::iota(0, 50),
                       fmap::map_options{.buffersize = 4, .ordered = true}};
  int n = 0;
  for (int v : map) {
    REQUIRE(v == n * (n - 1) / 2);
    ++n;
  }
  CHECK(n == 50);
}

namespace {

/// Other programs on the machine may disturb one second, but hardly three.
double least_imbalance(const share& a, const share& b) {
  double least = imbalance(a, b);
  for (int i = 0; i != 2 && least >= 2; ++i) least = std::min(least, imbalance(a, b));
  return least;
}

}  // namespace

TEST_CASE("equal runs share the workers' time equally (alone)") {
  CHECK(least_imbalance({50us, {.buffersize = 500}}, {50us, {.buffersize = 500}}) < 2);
}

// Wide enough for the cheap run to keep its queue filled: what is compared is what the pool decides.
TEST_CASE("runs with heavy and with cheap items share the workers' time equally (alone)") {
  CHECK(least_imbalance({1ms, {.buffersize = 1000}}, {10us, {.buffersize = 1000}}) < 2);
}

TEST_CASE("runs with large and with small batches share the workers' time equally (alone)") {
  CHECK(least_imbalance({10us, {.buffersize = 1000, .chunksize = 200}},
                        {10us, {.buffersize = 1000, .chunksize = 5}})
        < 2);
}

TEST_CASE("while the consumer does not move, nobody uses the processor (alone)") {
  const auto buffersize = GENERATE(as<std::size_t>{}, 1, 2, 3, 8, 1000);
  const bool at_hand = GENERATE(false, true);
  CAPTURE(buffersize, at_hand);
  fmap::thread_pool pool{2};
  auto map = at_hand ? fmap::future_map(pool, same, std::views::iota(0), buffersize)
                     : fmap::future_map(pool, same, std::views::iota(0) | by_a_source, buffersize);
  for (int i = 0; i != 5000; ++i) ++map.begin();  // long enough that items are known to be cheap
  // Workers that pull many cheap items by themselves get their tokens back by the half bound.
  const std::size_t with_consumer = buffersize / (at_hand && buffersize >= 16 ? 2 : 8);
  REQUIRE(eventually([&] { return map.stats().ready + with_consumer >= buffersize; }));
  std::this_thread::sleep_for(20ms);  // whoever looks around for a while has stopped by now
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(300ms);
  CHECK(std::clock() - before < CLOCKS_PER_SEC / 20);
}

TEST_CASE("while an item takes long, nobody else uses the processor (alone)") {
  fmap::thread_pool pool{2};
  gate hold;
  opens_at_exit guard{hold};
  fmap::future_map map{pool,
                       [&](int i) {
                         if (i == 5000) hold.pass();
                         return i;
                       },
                       std::views::iota(0), fmap::map_options{.buffersize = 64, .ordered = true}};
  for (int i = 0; i != 4999; ++i) ++map.begin();
  std::jthread consumer{[&] { ++map.begin(); }};
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  std::this_thread::sleep_for(20ms);
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(300ms);
  CHECK(std::clock() - before < CLOCKS_PER_SEC / 20);
  hold.open();
}
