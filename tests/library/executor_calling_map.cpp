// SPDX-License-Identifier: BSD-3-Clause
// Maps whose function returns a future: FutureMap as it was first made.
#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <ranges>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"
#include "support/seed.hpp"
#include "support/this_process.hpp"

using namespace testing;

namespace {

/// A service that answers when the test says so; thread-safe.
template <class T = int>
class service {
public:
  fmap::future<T> call(int item) {
    std::lock_guard lock{mutex_};
    open_.emplace_back(item, fmap::promise<T>{});
    most_ = std::max(most_, open_.size());
    ++calls_;
    return open_.back().second.get_future();
  }
  auto function() {
    return [this](int item) { return call(item); };
  }

  /// Takes the open call at `place`; the caller answers.
  std::pair<int, fmap::promise<T>> take(std::size_t place = 0) {
    std::lock_guard lock{mutex_};
    auto result = std::move(open_.at(place));
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(place));
    return result;
  }

  std::size_t open() const {
    std::lock_guard lock{mutex_};
    return open_.size();
  }
  std::size_t most() const {
    std::lock_guard lock{mutex_};
    return most_;
  }
  int calls() const { return calls_; }

private:
  mutable std::mutex mutex_;
  std::vector<std::pair<int, fmap::promise<T>>> open_;
  std::size_t most_ = 0;
  std::atomic<int> calls_{0};
};

fmap::future<int> done_at_once(int x) {
  fmap::promise<int> p;
  p.set_value(2 * x);
  return p.get_future();
}

/// Answers open calls in random order until it is stopped.
std::jthread answering(service<>& s, std::uint64_t seed) {
  return std::jthread{[&s, seed](const std::stop_token& stop) {
    dice random{seed};
    while (!stop.stop_requested()) {
      if (const std::size_t n = s.open()) {
        auto [item, promise] = s.take(random.below(n));
        promise.set_value(2 * item);
      } else {
        std::this_thread::yield();
      }
    }
  }};
}

std::vector<int> doubled(int n) {
  std::vector<int> result;
  for (int i = 0; i < n; ++i) result.push_back(2 * i);
  return result;
}

}  // namespace

TEST_CASE("a function that submits to a pool: all results, in some order") {
  fmap::thread_pool pool{1};
  const auto submit = [&](int x) { return pool.submit([](int y) { return 2 * y; }, x); };
  CHECK(sorted(fmap::future_map(submit, numbers(0, 4), 2)) == doubled(4));
  CHECK(sorted(fmap::future_map{submit, numbers(0, 500), 7}) == doubled(500));
}

TEST_CASE("a function that returns futures takes an endless input") {
  fmap::thread_pool pool{1};
  const auto submit = [&](int x) { return pool.submit([](int y) { return 2 * y; }, x); };
  int results = 0;
  for ([[maybe_unused]] int v : fmap::future_map(submit, std::views::iota(0), 2))
    if (++results == 4) break;
  CHECK(results == 4);
}

TEST_CASE("the error of a future ends the map, as the same exception") {
  fmap::thread_pool pool{1};
  const auto submit = [&](int x) {
    return pool.submit([](int) -> int { throw std::domain_error{"for test"}; }, x);
  };
  fmap::future_map map{submit, numbers(0, 4), 2};
  CHECK(message_of<std::domain_error>([&] { all_of(map); }) == "for test");
  CHECK(map.begin() == map.end());
}

TEST_CASE("results come as the futures complete, and in input order if wished") {
  for (const bool ordered : {false, true}) {
    service<> s;
    fmap::future_map map{s.function(), numbers(0, 4),
                         fmap::map_options{.buffersize = 4, .ordered = ordered}};
    std::jthread answers{[&] {
      // When the last call is made, the map waits for the futures of those before.
      eventually([&] { return s.open() == 4; });
      for (std::size_t place : {2, 1, 0, 0}) {
        auto [item, promise] = s.take(place);
        promise.set_value(item);
      }
    }};
    const auto results = all_of(map);
    CHECK(results == (ordered ? numbers(0, 4) : std::vector{2, 1, 0, 3}));
  }
}

TEST_CASE("at most buffersize futures are outstanding, and as many as that") {
  for (const std::size_t bound : {1, 2, 5, 15}) {  // tokens go back one by one
    service<> s;
    fmap::future_map map{s.function(), std::views::iota(0), bound};
    std::jthread fills_up{[&] {
      if (eventually([&] { return s.open() == bound; })) s.take().second.set_value(0);
    }};
    CHECK(*map.begin() == 0);
    REQUIRE(eventually([&] { return s.open() == bound; }));
    CHECK(map.stats().in_flight == bound);
    const auto seed = testing::seed();
    INFO(seed_message(seed));
    const auto answers = answering(s, seed);
    int results = 0;
    for ([[maybe_unused]] int v : map)
      if (++results == 500) break;
    CHECK(s.most() == bound);
    CHECK(map.stats().peak_in_flight <= bound);
    CHECK(map.stats().buffersize == bound);
  }
}

TEST_CASE("completions may come from several threads, in any order") {
  const auto seed = testing::seed();
  INFO(seed_message(seed));
  service<> s;
  std::mutex one_at_a_time;
  const auto answer = [&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::unique_lock lock{one_at_a_time};
      if (s.open() == 0) {
        lock.unlock();
        std::this_thread::yield();
        continue;
      }
      auto [item, promise] = s.take(s.open() / 2);
      lock.unlock();
      promise.set_value(2 * item);
    }
  };
  std::jthread one{answer}, two{answer}, three{answer};
  const int n = memory_is_watched ? 2000 : 20'000;
  CHECK(sorted(fmap::future_map(s.function(), numbers(0, n), 32)) == doubled(n));
}

TEST_CASE("futures that are done when they are returned are results like others") {
  CHECK(sorted(fmap::future_map(done_at_once, numbers(0, 5000), 3)) == doubled(5000));
  CHECK(all_of(fmap::future_map(done_at_once, numbers(0, 100),
                                fmap::map_options{.buffersize = 16, .ordered = true}))
        == doubled(100));
}

TEST_CASE("without options 16 futures are outstanding") {
  service<> s;
  fmap::future_map map{s.function(), std::views::iota(0)};
  std::jthread first{[&] {
    if (eventually([&] { return s.open() == 16; })) s.take().second.set_value(0);
  }};
  CHECK(*map.begin() == 0);
  CHECK(s.most() == 16);
  CHECK(map.stats().buffersize == 16);
}

TEST_CASE(
    "a function that throws, an invalid future and a cancelled one are errors of their items") {
  const auto call = [](int i) -> fmap::future<int> {
    if (i == 0) throw std::domain_error{"thrown"};
    if (i == 1) return {};
    fmap::promise<int> p;
    if (i == 2) p.get_future().cancel();
    if (i == 3) p.set_exception(std::domain_error{"set"});
    if (i == 5) p.set_value(5);
    return p.get_future();  // 4: broken
  };
  fmap::future_map map{call, numbers(0, 6), fmap::map_options{.buffersize = 3, .ordered = true}};
  std::vector<std::exception_ptr> errors;
  for (auto& o : map.outcomes()) {
    CHECK(o.has_value() == (o.index() == 5));
    if (!o) errors.push_back(o.error());
  }
  REQUIRE(errors.size() == 5);
  CHECK(message_of(errors[0]) == "thrown");
  CHECK_THROWS_AS(std::rethrow_exception(errors[1]), fmap::invalid_state);
  CHECK_THROWS_AS(std::rethrow_exception(errors[2]), fmap::cancelled_error);
  CHECK(message_of(errors[3]) == "set");
  CHECK_THROWS_AS(std::rethrow_exception(errors[4]), fmap::broken_promise);
  CHECK(map.stats().failed == 5);
}

TEST_CASE("a future<void> gives a monostate, a move-only result is moved out") {
  const auto quiet = [](int) {
    fmap::promise<void> p;
    p.set_value();
    return p.get_future();
  };
  CHECK(all_of(fmap::future_map(quiet, numbers(0, 3), 2)) == std::vector<std::monostate>(3));
  const auto owned = [](int i) {
    fmap::promise<std::unique_ptr<int>> p;
    p.set_value(std::make_unique<int>(i));
    return p.get_future();
  };
  int sum = 0;
  for (auto& p : fmap::future_map(owned, numbers(0, 10), 2)) sum += *p;
  CHECK(sum == 45);
}

TEST_CASE("move-only items reach the function") {
  std::vector<std::unique_ptr<int>> items;
  for (int i = 0; i < 10; ++i) items.push_back(std::make_unique<int>(i));
  const auto call = [](std::unique_ptr<int> p) { return done_at_once(*p); };
  CHECK(sorted(fmap::future_map(call, std::move(items), 3)) == doubled(10));
}

TEST_CASE("the function is called for an item before the next one is pulled") {
  // What a generator makes may depend on the results of what it has made.
  std::counting_semaphore<> taken{0};
  std::atomic<bool> stuck{false};
  made_range input{[&](std::uint64_t i) {
                     if (i > 0 && !taken.try_acquire_for(std::chrono::seconds{20})) stuck = true;
                     return static_cast<int>(i);
                   },
                   50};
  int results = 0;
  for ([[maybe_unused]] int v : fmap::future_map(done_at_once, std::move(input), 16)) {
    ++results;
    taken.release();
    if (stuck) break;
  }
  CHECK_FALSE(stuck);
  CHECK(results == 50);
}

TEST_CASE("nothing is called before the iteration begins, nor without a token") {
  service<> s;
  fmap::future_map map{s.function(), std::views::iota(0), 1};
  CHECK(s.calls() == 0);
  const auto answers = answering(s, 1);
  auto it = map.begin();
  CHECK(*it == 0);
  CHECK(*++it == 2);
  CHECK(s.calls() <= 3);
}
