// SPDX-License-Identifier: BSD-3-Clause
// State kept per worker, and initializers.
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"

using namespace testing;

namespace {

thread_local int prepared = 0;

int same(int x) { return x; }

/// Neither copyable nor movable; remembers the thread that made it.
struct bench {
  std::thread::id made_in = std::this_thread::get_id();
  int used = 0;
  bench() = default;
  bench(bench&&) = delete;
};

}  // namespace

TEST_CASE("with_state makes one state per worker and run, in the worker's thread") {
  fmap::thread_pool pool{3};
  for (int run = 0; run < 3; ++run) {
    std::atomic<int> made{0}, strays{0};
    std::mutex mutex;
    std::set<std::thread::id> threads;
    fmap::future_map map{pool,
                         fmap::with_state(
                             [&] {
                               ++made;
                               return bench{};
                             },
                             [&](bench& b, int i) {
                               if (b.made_in != std::this_thread::get_id()) ++strays;
                               ++b.used;
                               std::lock_guard guard{mutex};
                               threads.insert(b.made_in);
                               return i;
                             }),
                         std::views::iota(0, 2000), 16};
    CHECK(sorted(map) == numbers(0, 2000));
    CHECK(strays == 0);
    CHECK(made == static_cast<int>(threads.size()));
    CHECK(made <= 3);
  }
}

TEST_CASE("states are destroyed with the map") {
  fmap::thread_pool pool{2};
  {
    fmap::future_map map{pool,
                         fmap::with_state([] { return counted{7}; },
                                          [](counted& state, int i) { return state.value() + i; }),
                         std::views::iota(0, 100), 8};
    CHECK(sorted(map) == numbers(7, 107));
    CHECK(counted::alive >= 1);
    CHECK(counted::alive <= 2);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("a state that cannot be made fails its item, and the next item tries again") {
  fmap::thread_pool pool{1};
  int tries = 0;
  fmap::future_map map{pool,
                       fmap::with_state(
                           [&] {
                             if (++tries <= 2)
                               throw std::runtime_error{"try " + std::to_string(tries)};
                             return 100;
                           },
                           [](int& state, int i) { return state + i; }),
                       std::views::iota(0, 5), fmap::map_options{.buffersize = 4, .ordered = true}};
  std::vector<std::string> seen;
  for (auto& o : map.outcomes())
    seen.push_back(o ? std::to_string(o.value()) : message_of(o.error()));
  CHECK(seen == std::vector<std::string>{"try 1", "try 2", "102", "103", "104"});
  CHECK(tries == 3);
}

TEST_CASE("a stateful function takes move-only items and may return nothing") {
  fmap::thread_pool pool{2};
  std::vector<std::unique_ptr<int>> items;
  for (int i = 0; i < 10; ++i) items.push_back(std::make_unique<int>(i));
  std::atomic<int> sum{0};
  fmap::future_map map{
      pool, fmap::with_state([] { return 0; }, [&](int&, std::unique_ptr<int> p) { sum += *p; }),
      std::move(items), 4};
  CHECK(all_of(map).size() == 10);
  CHECK(sum == 45);
}

TEST_CASE("the initializer's thread-locals are visible to the items") {
  std::atomic<int> initialized{0};
  fmap::thread_pool pool{{.workers = 3, .initializer = [&] { prepared = 10 + initialized++; }}};
  const auto seen = all_of(fmap::future_map(
      pool, [](int) { return prepared; }, std::views::iota(0, 500), 8));
  for (int value : seen) CHECK(value >= 10);
  CHECK(initialized >= 1);
  CHECK(initialized <= 3);
}

TEST_CASE("the initializer runs once per worker, not per map") {
  std::atomic<int> initialized{0};
  fmap::thread_pool pool{{.workers = 2, .initializer = [&] { ++initialized; }}};
  for (int i = 0; i < 10; ++i)
    CHECK(all_of(fmap::future_map(pool, same, std::views::iota(0, 200), 8)).size() == 200);
  CHECK(initialized <= 2);
}

TEST_CASE(
    "an initializer that throws breaks the pool: pending items get broken_pool with the cause") {
  fmap::thread_pool pool{
      {.workers = 2, .initializer = [] { throw std::runtime_error{"no licence"}; }}};
  fmap::future_map map{pool, same, std::views::iota(0), 8};
  try {
    map.begin();
    FAIL("no exception");
  } catch (const fmap::broken_pool& e) {
    CHECK(std::string{e.what()}.find("no licence") != std::string::npos);
    CHECK(message_of(e.cause()) == "no licence");
    CHECK_THROWS_AS(std::rethrow_exception(e.cause()), std::runtime_error);
  }
  CHECK(map.begin() == map.end());
}

TEST_CASE("a broken pool refuses new maps, with the cause") {
  fmap::thread_pool pool{
      {.workers = 1, .initializer = [] { throw std::runtime_error{"no licence"}; }}};
  fmap::future_map map{pool, same, std::views::iota(0, 1), 8};
  CHECK_THROWS_AS(map.begin(), fmap::broken_pool);
  const auto message = message_of<fmap::broken_pool>([&] {
    fmap::future_map{pool, same, std::views::iota(0, 1), 8};
  });
  CHECK(message.find("no licence") != std::string::npos);
}

TEST_CASE(
    "outcomes show broken_pool for every item that was pulled, then the iteration throws it") {
  fmap::thread_pool pool{
      {.workers = 1, .initializer = [] { throw std::runtime_error{"no licence"}; }}};
  fmap::future_map map{pool, same, std::views::iota(0) | by_a_source, 8};
  std::uint64_t outcomes = 0;
  CHECK_THROWS_AS(
      [&] {
        for (auto& o : map.outcomes()) {
          ++outcomes;
          CHECK_THROWS_AS(std::rethrow_exception(o.error()), fmap::broken_pool);
        }
      }(),
      fmap::broken_pool);
  CHECK(outcomes >= 1);
  CHECK(outcomes == map.stats().pulled);
  CHECK(map.stats().failed == outcomes);
}

TEST_CASE("a map made before the pool broke and begun after it throws broken_pool") {
  fmap::thread_pool pool{
      {.workers = 1, .initializer = [] { throw std::runtime_error{"no licence"}; }}};
  fmap::future_map early{pool, same, std::views::iota(0), 8};
  fmap::future_map map{pool, same, std::views::iota(0, 1), 8};
  CHECK_THROWS_AS(map.begin(), fmap::broken_pool);
  CHECK_THROWS_AS(early.begin(), fmap::broken_pool);
}

TEST_CASE("what runs when the pool breaks is finished") {
  gate hold;
  opens_at_exit guard{hold};
  std::atomic<int> initialized{0};
  fmap::thread_pool pool{{.workers = 2, .initializer = [&] {
                            if (++initialized == 2) {
                              eventually([&] { return hold.waiting() == 1; });
                              throw std::runtime_error{"second worker"};
                            }
                          }}};
  fmap::future_map map{pool,
                       [&](int i) {
                         hold.pass();
                         return i;
                       },
                       std::views::iota(0, 3) | by_a_source,
                       fmap::map_options{.buffersize = 3, .ordered = true}};
  std::jthread opener{[&] {
    eventually([&] { return map.stats().failed == 2; });
    hold.open();
  }};
  int values = 0, errors = 0;
  for (auto& o : map.outcomes()) ++(o ? values : errors);
  CHECK(values == 1);
  CHECK(errors == 2);
}
