// SPDX-License-Identifier: BSD-3-Clause
// Pools and bounds that change their size while they are used.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <latch>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "actors/caf_compat.hpp"
#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/futures.hpp"
#include "support/made_range.hpp"
#include "support/pools.hpp"
#include "support/seed.hpp"

using namespace std::chrono_literals;
using namespace testing;

namespace {

/// Threads that have been in a turnstile and have not ended.
std::atomic<int> visitors{0};

/// Items that wait until they are let go, and how many are inside at once. A test that fails lets them go, too.
class turnstile {
public:
  ~turnstile() { open(); }

  void open() {
    here_->open = true;
    here_->open.notify_all();
  }
  void close() { here_->open = false; }
  int inside() const { return here_->inside; }
  int most() const { return here_->most; }

  /// What items execute.
  auto passage() const {
    return [here = here_](int x) {
      struct visitor {
        visitor() { ++visitors; }
        ~visitor() { --visitors; }
      };
      thread_local const visitor this_thread;
      const int n = ++here->inside;
      int most = here->most.load();
      while (n > most && !here->most.compare_exchange_weak(most, n)) {}
      here->open.wait(false);
      --here->inside;
      return x;
    };
  }

private:
  struct state {
    std::atomic<bool> open{false};
    std::atomic<int> inside{0}, most{0};
  };
  const std::shared_ptr<state> here_ = std::make_shared<state>();
};

/// Numbers, and how many more of them have been pulled than were taken.
struct counted_input {
  std::atomic<std::uint64_t> pulled{0};
  auto numbers(std::uint64_t size) {
    return made_range{[this](std::uint64_t i) {
                        ++pulled;
                        return i;
                      },
                      size};
  }
};

/// CAF 1 keeps the threads of actors that have ended, for the next ones.
bool visitors_become([[maybe_unused]] int n) {
#if FMAP_CAF_1
  return true;
#else
  return eventually([n] { return visitors == n; });
#endif
}

constexpr auto next_number = [](int x) { return x + 1; };

}  // namespace

TEST_CASE("a pool that grows runs more items at once, those that wait already, too") {
  fmap::thread_pool pool{1};
  turnstile gate;
  std::vector<fmap::future<int>> results;
  for (int i = 0; i != 8; ++i) results.push_back(pool.submit(gate.passage(), i));
  REQUIRE(eventually([&] { return gate.inside() == 1; }));
  pool.resize(5);
  CHECK(pool.workers() == 5);
  REQUIRE(eventually([&] { return gate.inside() == 5; }));
  pool.resize(7);
  REQUIRE(eventually([&] { return gate.inside() == 7; }));
  gate.open();
  for (int i = 0; i != 8; ++i) CHECK(results[static_cast<std::size_t>(i)].get() == i);
  CHECK(gate.most() <= 8);
}

TEST_CASE("a pool that shrinks finishes what runs, and then runs fewer items at once") {
  REQUIRE(visitors_become(0));
  fmap::thread_pool pool{6};
  turnstile first, second;
  std::vector<fmap::future<int>> results;
  for (int i = 0; i != 6; ++i) results.push_back(pool.submit(first.passage(), i));
  REQUIRE(eventually([&] { return first.inside() == 6; }));
  for (int i = 6; i != 20; ++i) results.push_back(pool.submit(second.passage(), i));
  pool.resize(2);
  CHECK(pool.workers() == 2);
  CHECK(first.inside() == 6);
  first.open();
  REQUIRE(eventually([&] { return second.inside() == 2; }));
  CHECK(visitors_become(2));
  CHECK(second.most() == 2);
  second.open();
  for (int i = 0; i != 20; ++i) CHECK(results[static_cast<std::size_t>(i)].get() == i);
  CHECK(second.most() == 2);
}

TEST_CASE("workers that sleep leave at once when a pool shrinks") {
  REQUIRE(visitors_become(0));
  fmap::thread_pool pool{8};
  turnstile gate;
  std::vector<fmap::future<int>> results;
  for (int i = 0; i != 8; ++i) results.push_back(pool.submit(gate.passage(), i));
  REQUIRE(eventually([&] { return gate.inside() == 8; }));
  gate.open();
  fmap::wait(results);
  CHECK(visitors_become(8));
  pool.resize(3);
  CHECK(visitors_become(3));
  CHECK(pool.submit(next_number, 1).get() == 2);
}

TEMPLATE_TEST_CASE("random sizes while a map runs lose and repeat nothing", "[resize]",
                   FMAP_TESTED_POOLS) {
  constexpr bool threads = std::is_same_v<TestType, fmap::thread_pool>;
  constexpr int items = threads ? 300'000 : 60'000, sizes = threads ? 300 : 40,
                most = threads ? 64 : 6;
  TestType pool{2};
  dice random{seed()};
  std::uint64_t sum = 0, count = 0;
  int resized = 0;
  auto m = fmap::future_map{pool, next_number, std::views::iota(0, items), 512};
  for (int v : m) {
    sum += static_cast<std::uint64_t>(v);
    if (++count % (items / sizes) != 0) continue;
    ++resized;
    pool.resize(random.between(1, most));
    REQUIRE(m.stats().in_flight <= 512);
  }
  CHECK(resized == sizes);
  CHECK(count == items);
  CHECK(sum == std::uint64_t{items} * (items + 1) / 2);
  CHECK(m.stats().peak_in_flight <= 512);
  CHECK(m.stats().retried == 0);
}

TEST_CASE_ON_POOLS("a pool of no workers is refused, and so is resizing one that was shut down") {
  TestType pool{2};
  CHECK_THROWS_AS(pool.resize(0), std::invalid_argument);
  CHECK_THROWS_AS(pool.resize(-3), std::invalid_argument);
  CHECK_THROWS_AS(pool.resize(1'000'000'000), std::invalid_argument);
  CHECK(pool.workers() == 2);
  pool.shutdown();
  CHECK_THROWS_AS(pool.resize(3), fmap::pool_shutdown);
  CHECK(pool.workers() == 2);
}

TEST_CASE("several threads may resize a pool, tasks of its own among them") {
  fmap::thread_pool pool{2};
  std::vector<std::jthread> others;
  for (int t = 0; t != 3; ++t)
    others.emplace_back([&pool, t] {
      for (int i = 0; i != 200; ++i) pool.resize(1 + (i * 7 + t) % 9);
    });
  const auto resizes = [&pool](int x) {
    pool.resize(1 + x % 5);
    return x;
  };
  CHECK(all_of(fmap::future_map{pool, resizes, std::views::iota(0, 2000), 32}).size() == 2000);
  others.clear();
  pool.resize(4);
  CHECK(pool.workers() == 4);
  turnstile gate;
  std::vector<fmap::future<int>> results;
  for (int i = 0; i != 6; ++i) results.push_back(pool.submit(gate.passage(), i));
  REQUIRE(eventually([&] { return gate.inside() == 4; }));
  gate.open();
  fmap::wait(results);
}

TEST_CASE("a task that waits for its pool still gets help when the pool shrinks meanwhile") {
  fmap::thread_pool pool{4};
  const auto outer = [&pool](int x) {
    pool.resize(1);
    return pool.submit(next_number, x).get();
  };
  std::vector<fmap::future<int>> results;
  for (int i = 0; i != 50; ++i) results.push_back(pool.submit(outer, i));
  for (int i = 0; i != 50; ++i) CHECK(results[static_cast<std::size_t>(i)].get() == i + 1);
}

// -- bounds -----------------------------------------------------------------------

TEST_CASE("a bound that grows lets more in at once") {
  fmap::thread_pool pool{2};
  counted_input in;
  fmap::future_map m{pool, [](std::uint64_t x) { return x; }, in.numbers(1000), 4};
  auto at = m.begin();  // one is taken
  REQUIRE(eventually([&] { return in.pulled == 5; }));
  m.resize_buffer(20);
  CHECK(m.stats().buffersize == 20);
  REQUIRE(eventually([&] { return in.pulled == 21; }));
  CHECK(m.stats().in_flight == 20);
  std::uint64_t n = 0;
  for (; at != m.end(); ++at) ++n;
  CHECK(n == 1000);
}

TEST_CASE("a bound that shrinks lets nothing in before few enough are in flight") {
  fmap::thread_pool pool{2};
  counted_input in;
  fmap::future_map m{pool, [](std::uint64_t x) { return x; }, in.numbers(1000), 64};
  auto at = m.begin();
  REQUIRE(eventually([&] { return in.pulled == 64; }));  // the first token comes back with others
  m.resize_buffer(10);
  for (std::uint64_t taken = 2; taken != 55; ++taken) {
    ++at;
    REQUIRE(in.pulled == 64);
    REQUIRE(m.stats().buffersize >= 10);
    REQUIRE(m.stats().in_flight == 64 - taken);
  }
  for (std::uint64_t taken = 55; taken != 200; ++taken) {
    ++at;
    REQUIRE(m.stats().in_flight <= 10);
    REQUIRE(in.pulled <= taken + 10);
  }
  CHECK(m.stats().buffersize == 10);
  std::uint64_t n = 198;
  for (; at != m.end(); ++at) ++n;
  CHECK(n == 1000);
}

TEST_CASE("what a source was granted and has not pulled is handed back when the bound shrinks") {
  fmap::thread_pool pool{2};
  std::atomic<std::uint64_t> pulled{0};
  std::latch there{1}, go_on{1};
  fmap::future_map m{pool, [](std::uint64_t x) { return x; },
                     made_range{[&](std::uint64_t i) {
                                  ++pulled;
                                  if (i == 5) {
                                    there.count_down();
                                    go_on.wait();
                                  }
                                  return i;
                                },
                                1000},
                     100};
  auto at = m.begin();
  there.wait();
  m.resize_buffer(2);
  go_on.count_down();
  for (std::uint64_t taken = 1; taken != 300; ++taken, ++at)
    REQUIRE(pulled <= std::max<std::uint64_t>(6, taken + 2));
}

TEMPLATE_TEST_CASE("random bounds while a map runs are kept, in order and not", "[resize]",
                   FMAP_TESTED_POOLS) {
  TestType pool{3};
  const bool ordered = GENERATE(false, true);
  dice random{seed()};
  std::uint64_t sum = 0, count = 0, wrong_order = 0;
  auto m = fmap::future_map{pool, next_number, std::views::iota(0, 40'000),
                            fmap::map_options{.buffersize = 100, .ordered = ordered}};
  for (int v : m) {
    sum += static_cast<std::uint64_t>(v);
    if (ordered && static_cast<std::uint64_t>(v) != count + 1) ++wrong_order;
    if (++count % 100 != 0) continue;
    m.resize_buffer(random.between(1, 300));
    const auto now = m.stats();
    REQUIRE(now.in_flight <= now.buffersize);
  }
  CHECK(count == 40'000);
  CHECK(sum == std::uint64_t{40'000} * 40'001 / 2);
  CHECK(wrong_order == 0);
  CHECK(m.stats().peak_in_flight <= 300);
}

TEST_CASE("another thread may change the bound, before the map starts and after its end, too") {
  fmap::thread_pool pool{2};
  fmap::future_map m{pool, next_number, std::views::iota(0, 100'000), 16};
  m.resize_buffer(8);
  CHECK(m.stats().buffersize == 8);
  {
    std::jthread other{[&m](const std::stop_token& stop) {
      for (int i = 0; !stop.stop_requested(); ++i) m.resize_buffer(1 + i % 50);
    }};
    CHECK(all_of(m).size() == 100'000);
  }
  m.resize_buffer(5);
  CHECK(m.stats().in_flight == 0);
}

TEST_CASE("bounds that make no sense are refused, and change nothing") {
  fmap::thread_pool pool{2};
  fmap::future_map m{pool, next_number, std::views::iota(0, 100),
                     fmap::map_options{.buffersize = 64, .chunksize = 16}};
  CHECK_THROWS_AS(m.resize_buffer(0), std::invalid_argument);
  CHECK_THROWS_AS(m.resize_buffer(-1), std::invalid_argument);
  CHECK_THROWS_WITH(
      m.resize_buffer(15),
      "fmap: chunksize (16) is larger than buffersize (15): a batch could never be filled");
  CHECK(m.stats().buffersize == 64);
  m.resize_buffer(16);
  CHECK(all_of(m).size() == 100);
}

TEST_CASE("a bound that was said stays, though the one before was automatic") {
  fmap::thread_pool pool{2};
  fmap::future_map m{pool, next_number, std::views::iota(0, 200'000)};
  m.resize_buffer(7);
  std::size_t most = 0, n = 0;
  for ([[maybe_unused]] int v : m)
    if (++n % 1000 == 0) most = std::max(most, m.stats().buffersize);
  CHECK(most == 7);
}

TEST_CASE(
    "a map over futures takes a new bound, those of the standard library get threads for it") {
  std::atomic<int> open{0};
  std::vector<fmap::promise<int>> promises(40);
  fmap::future_map calls{[&](int i) {
                           ++open;
                           return promises[static_cast<std::size_t>(i)].get_future();
                         },
                         std::views::iota(0, 40), 4};
  std::jthread consumer{[&] { CHECK(all_of(calls).size() == 40); }};
  REQUIRE(eventually([&] { return open == 4; }));
  calls.resize_buffer(12);
  CHECK(eventually([&] { return open == 12; }));
  for (int i = 0; i != 40; ++i) promises[static_cast<std::size_t>(i)].set_value(i);
  consumer.join();

  turnstile gate;
  fmap::future_map waits{[&](int i) { return std::async(std::launch::async, gate.passage(), i); },
                         std::views::iota(0, 30), 3};
  std::jthread other{[&] { CHECK(all_of(waits).size() == 30); }};
  CHECK(eventually([&] { return gate.inside() == 3; }));
  waits.resize_buffer(9);
  CHECK(eventually([&] { return gate.inside() == 9; }));
  gate.open();
}

// -- numbers of workers that adapt ----------------------------------------------

TEST_CASE(
    "a pool that may grow does so while its items sleep, and gives its threads back (alone)") {
  REQUIRE(visitors_become(0));
  fmap::thread_pool pool{{.workers = 1, .max_workers = 6, .idle_timeout = 100ms}};
  turnstile gate;
  std::vector<fmap::future<int>> results;
  for (int i = 0; i != 12; ++i) results.push_back(pool.submit(gate.passage(), i));
  // It grows only while processors are idle.
  REQUIRE(eventually([&] { return gate.inside() == 6; }));
  CHECK(pool.workers() == 1);
  gate.open();
  fmap::wait(results);
  CHECK(gate.most() == 6);
  CHECK(visitors_become(1));
  CHECK(pool.submit(next_number, 1).get() == 2);
}

TEST_CASE("a pool of one that may grow does so for an input at hand, of which nothing is ever "
          "queued (alone)") {
  fmap::thread_pool pool{{.workers = 1, .max_workers = 4}};
  // The pool learns that an item takes a while, and then pulls no more than its workers can take.
  turnstile gate;
  gate.open();
  const auto slow = [passage = gate.passage()](int x) {
    std::this_thread::sleep_for(1ms);
    return passage(x);
  };
  const std::vector<int> input(400, 1);
  fmap::future_map m{pool, slow, input, 64};
  auto it = m.begin();
  for (int i = 0; i != 100; ++i) ++it;
  gate.close();
  CHECK(eventually([&] { return gate.inside() == 4; }));
  gate.open();
  for (; it != m.end(); ++it) {}
}

TEST_CASE("a pool that may not grow by itself does not, whatever it was resized to") {
  fmap::thread_pool pool{4};
  pool.resize(6);
  pool.resize(2);
  turnstile gate;
  std::vector<fmap::future<int>> results;
  for (int i = 0; i != 8; ++i) results.push_back(pool.submit(gate.passage(), i));
  REQUIRE(eventually([&] { return gate.inside() == 2; }));
  gate.open();
  fmap::wait(results);
  CHECK(gate.most() == 2);
}

TEST_CASE("a worker's state goes to the worker that comes in its place") {
  fmap::thread_pool pool{8};
  std::atomic<int> made{0};
  fmap::future_map m{pool, fmap::with_state([&] { return ++made; }, [](int&, int x) { return x; }),
                     std::views::iota(0, 20'000), 64};
  int n = 0;
  for ([[maybe_unused]] int x : m)
    if (++n % 100 == 0) pool.resize(n % 200 == 0 ? 8 : 1);
  CHECK(n == 20'000);
  CHECK(made <= 40);  // some come before others have left
}

TEST_CASE("limits for a number of workers that make no sense are refused") {
  CHECK_THROWS_WITH((fmap::thread_pool{{.workers = 4, .max_workers = 3}}),
                    "fmap: max_workers (3) is less than workers (4)");
  CHECK_THROWS_AS((fmap::thread_pool{{.workers = 1, .max_workers = 2, .idle_timeout = 0s}}),
                  std::invalid_argument);
  CHECK_THROWS_AS((fmap::thread_pool{{.workers = 1, .idle_timeout = -1s}}), std::invalid_argument);
  CHECK_THROWS_AS((fmap::thread_pool{{.workers = 1, .max_workers = 1'000'000'000}}),
                  std::invalid_argument);
  CHECK(fmap::thread_pool{{.workers = 3, .max_workers = 3}}.workers() == 3);
}
