// SPDX-License-Identifier: BSD-3-Clause
// Maps whose function returns futures: leaving them while futures are open; and std::future.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"
#include "support/this_process.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

std::future<int> std_ready(int x) {
  std::promise<int> p;
  p.set_value(2 * x);
  return p.get_future();
}

std::vector<int> doubled(int n) {
  std::vector<int> result;
  for (int i = 0; i < n; ++i) result.push_back(2 * i);
  return result;
}

}  // namespace

TEST_CASE("destroying a map does not wait for open futures; what completes later is dropped") {
  std::vector<fmap::promise<counted>> open;
  {
    std::atomic<std::size_t> calls{0};
    open.reserve(8);
    fmap::future_map map{[&](int i) {
                           fmap::promise<counted> p;
                           auto f = p.get_future();
                           if (i == 0)
                             p.set_value(counted{0});
                           else
                             open.push_back(std::move(p));
                           ++calls;
                           return f;
                         },
                         std::views::iota(0), 8};
    CHECK(map.begin()->value() == 0);
    REQUIRE(eventually([&] { return calls == 9; }));
  }
  CHECK(open.size() == 8);
  CHECK(counted::alive == 0);
  std::jthread{[&] {
    for (auto& p : open) CHECK(p.set_value(counted{1}));
  }}.join();
  open.clear();
  CHECK(counted::alive == 0);
}

TEST_CASE("what the function of a map holds lives until its last future is done") {
  std::vector<fmap::promise<int>> open;
  std::atomic<int> calls{0};
  {
    fmap::future_map map{[&open, &calls, c = counted{1}](int i) {
                           fmap::promise<int> p;
                           auto f = p.get_future();
                           if (i == 0) p.set_value(0);
                           open.push_back(std::move(p));
                           ++calls;
                           return f;
                         },
                         numbers(0, 3), 8};
    CHECK(*map.begin() == 0);
    REQUIRE(eventually([&] { return calls == 3; }));
  }
  for (std::size_t i = 1; i < open.size(); ++i) {
    CHECK(counted::alive == 1);
    open[i].set_value(1);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("race: futures that complete while their map is destroyed") {
  for (int round = 0; round < (memory_is_watched ? 300 : 2000); ++round) {
    std::vector<fmap::promise<counted>> open(4);
    std::atomic<int> calls{0};
    std::jthread completes;
    {
      fmap::future_map map{[&](int i) {
                             ++calls;
                             return open[static_cast<std::size_t>(i)].get_future();
                           },
                           numbers(0, 4), 4};
      completes = std::jthread{[&] {
        while (calls < 4) std::this_thread::yield();
        for (auto& p : open) p.set_value(counted{1});
      }};
      int results = 0;
      for ([[maybe_unused]] auto& v : map)
        if (++results == 1 + round % 4) break;
    }
    completes.join();
    open.clear();
    REQUIRE(counted::alive == 0);
  }
}

TEST_CASE("a map over futures may be left while its function is waiting, which then returns") {
  gate hold;
  std::atomic<bool> returned{false};
  {
    fmap::future_map map{[&](int i) {
                           fmap::promise<int> p;
                           p.set_value(i);
                           if (i == 1) {
                             hold.pass();
                             returned = true;
                           }
                           return p.get_future();
                         },
                         std::views::iota(0), 2};
    CHECK(*map.begin() == 0);
    REQUIRE(eventually([&] { return hold.waiting() == 1; }));
    hold.open();
  }
  CHECK(returned);
}

TEST_CASE("a map over futures ends at its timeout and at a stop request") {
  std::vector<fmap::promise<int>> open;
  const auto never = [&open](int) {
    open.emplace_back();
    return open.back().get_future();
  };
  fmap::future_map slow{never, std::views::iota(0),
                        fmap::map_options{.buffersize = 2, .timeout = 5ms}};
  CHECK_THROWS_AS(slow.begin(), fmap::timeout_error);
  std::stop_source stop;
  fmap::future_map stopped{never, std::views::iota(0),
                           fmap::map_options{.buffersize = 2, .stop = stop.get_token()}};
  std::jthread stops{[&] {
    eventually([&] { return stopped.stats().pulled == 2; });
    stop.request_stop();
  }};
  CHECK(stopped.begin() == stopped.end());
}

TEST_CASE("a stop ends a map over futures although its function has not returned") {
  std::stop_source stop;
  gate inside;
  opens_at_exit guard{inside};
  const auto call = [&](int x) {
    inside.pass();
    fmap::promise<int> p;
    p.set_value(x);
    return p.get_future();
  };
  fmap::future_map map{call, numbers(0, 4),
                       fmap::map_options{.buffersize = 2, .stop = stop.get_token()}};
  std::atomic<bool> ended{false};
  std::jthread stopper{[&] {
    eventually([&] { return inside.waiting() == 1; });
    stop.request_stop();
    eventually([&] { return ended.load(); });
    inside.open();
  }};
  CHECK(map.begin() == map.end());
  CHECK(inside.waiting() == 1);
  ended = true;
}

TEST_CASE("a task may leave a map over futures while its function waits for the pool") {
  for (int round = 0; round != 20; ++round) {
    fmap::thread_pool pool{1};
    const auto left = pool.submit([&] {
      const auto call = [&](int x) {
        fmap::promise<int> p;
        p.set_value(pool.submit([x] { return x; }).get());
        return p.get_future();
      };
      for (int v : fmap::future_map(call, std::views::iota(0), 4)) return v;
      return -1;
    });
    REQUIRE(left.wait(std::chrono::seconds{60}));
    CHECK(left.get() == 0);
  }
}

TEST_CASE("a map over futures may be moved while futures are open") {
  auto promises = std::make_shared<std::vector<fmap::promise<int>>>(3);
  std::atomic<int> calls{0};
  fmap::future_map first{[&, promises](int i) {
                           ++calls;
                           return (*promises)[static_cast<std::size_t>(i)].get_future();
                         },
                         numbers(0, 3), 3};
  (*promises)[0].set_value(0);
  CHECK(*first.begin() == 0);
  REQUIRE(eventually([&] { return calls == 3; }));
  fmap::future_map second = std::move(first);
  (*promises)[1].set_value(1);
  (*promises)[2].set_value(2);
  CHECK(sorted(second) == numbers(0, 3));
}

TEST_CASE("many maps over futures work side by side") {
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 6; ++t)
      threads.emplace_back([&] {
        const auto call = [](int x) {
          fmap::promise<int> p;
          p.set_value(2 * x);
          return p.get_future();
        };
        for (int round = 0; round < 10; ++round)
          if (sorted(fmap::future_map(call, numbers(0, 200), 4)) != doubled(200)) ++wrong;
      });
  }
  CHECK(wrong == 0);
}

TEST_CASE("a function that returns a std::future: all results, endless input, in order if wished") {
  CHECK(sorted(fmap::future_map(std_ready, numbers(0, 300), 4)) == doubled(300));
  CHECK(all_of(fmap::future_map(std_ready, numbers(0, 50), fmap::map_options{.ordered = true}))
        == doubled(50));
  int results = 0;
  for ([[maybe_unused]] int v : fmap::future_map(std_ready, std::views::iota(0), 3))
    if (++results == 20) break;
  CHECK(results == 20);
}

TEST_CASE("a std::future that is deferred, failed, void or invalid") {
  const auto deferred = [](int i) { return std::async(std::launch::deferred, [i] { return i; }); };
  CHECK(sorted(fmap::future_map(deferred, numbers(0, 20), 3)) == numbers(0, 20));
  const auto failing = [](int) {
    std::promise<int> p;
    p.set_exception(std::make_exception_ptr(std::domain_error{"for test"}));
    return p.get_future();
  };
  fmap::future_map failed{failing, numbers(0, 4), 2};
  CHECK(message_of<std::domain_error>([&] { all_of(failed); }) == "for test");
  const auto quiet = [](int) {
    std::promise<void> p;
    p.set_value();
    return p.get_future();
  };
  CHECK(all_of(fmap::future_map(quiet, numbers(0, 3), 2)).size() == 3);
  fmap::future_map invalid{[](int) { return std::future<int>{}; }, numbers(0, 2), 2};
  CHECK_THROWS_AS(all_of(invalid), std::future_error);
}

TEST_CASE("at most buffersize std::futures are outstanding, and as many as that") {
  std::atomic<int> open{0}, most{0};
  gate hold;
  opens_at_exit guard{hold};
  const auto call = [&](int i) {
    const int now = ++open;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
    return std::async(std::launch::deferred, [&, i] {
      hold.pass();
      --open;
      return i;
    });
  };
  fmap::future_map map{call, numbers(0, 100), 5};
  std::jthread opens{[&] {
    eventually([&] { return hold.waiting() == 5; });
    hold.open();
  }};
  CHECK(sorted(map) == numbers(0, 100));
  CHECK(most == 5);
}

TEST_CASE("destroying a map over std::futures waits for those that are open") {
  std::atomic<int> finished{0}, begun{0};
  {
    fmap::future_map map{[&](int i) {
                           return std::async(std::launch::async, [&, i] {
                             ++begun;
                             ++finished;
                             return i;
                           });
                         },
                         std::views::iota(0), 4};
    map.begin();
  }
  CHECK(finished == begun);
}
