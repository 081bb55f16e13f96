// SPDX-License-Identifier: BSD-3-Clause
// Who runs when, and on which thread: order, fairness between tasks and maps, workers, idleness.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/this_process.hpp"

using namespace testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

int same(int x) { return x; }

void busy_for(std::chrono::microseconds time) {
  const auto until = steady_clock::now() + time;
  while (steady_clock::now() < until) {}
}

/// The processor time of this process so far.
std::chrono::microseconds cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

/// What a pool costs that has worked and then has nothing to do.
std::chrono::microseconds idle_cost(std::chrono::seconds time) {
  fmap::thread_pool pool{2};
  std::vector<fmap::future<int>> tasks;
  for (int i = 0; i < 1000; ++i) tasks.push_back(pool.submit(same, i));
  for (const auto& f : tasks) f.wait();
  auto standing = pool.map(same, std::views::iota(0));
  standing.begin();
  std::this_thread::sleep_for(100ms);  // spinning and ticking come to rest
  const auto before = cpu_time();
  std::this_thread::sleep_for(time);  // what is measured is what does not happen meanwhile
  return cpu_time() - before;
}

}  // namespace

TEST_CASE("tasks start in the order of their submission") {
  fmap::thread_pool pool{1};
  gate hold;
  opens_at_exit guard{hold};
  std::vector<int> order;
  pool.submit([&] { hold.pass(); });
  for (int i = 0; i < 5000; ++i) {
    pool.submit([&, i] { order.push_back(i); });
    if (i == 2500) hold.open();
  }
  pool.shutdown();
  CHECK(order == numbers(0, 5000));
}

TEST_CASE("tasks start in order on two workers as well") {
  fmap::thread_pool pool{2};
  std::atomic<int> started{0}, far_off{0};
  // When one starts, at most the one other worker's batch before it has not.
  std::vector<fmap::future<void>> all;
  for (int i = 0; i < 200; ++i)
    all.push_back(pool.submit([&, i] {
      const int before = started++;
      if (std::abs(before - i) > 1) ++far_off;
      busy_for(400us);
    }));
  for (const auto& f : all) f.wait();
  CHECK(started == 200);
  CHECK(far_off <= 20);
}

TEST_CASE("a task behind a slow one is run by another worker") {
  fmap::thread_pool pool{2};
  std::vector<fmap::future<void>> tiny;
  for (int i = 0; i < 2000; ++i) tiny.push_back(pool.submit([] {}));
  gate hold;
  opens_at_exit guard{hold};
  const auto slow = pool.submit([&] { hold.pass(); });
  for (int i = 0; i < 100; ++i) tiny.push_back(pool.submit([] {}));
  for (const auto& f : tiny) REQUIRE(f.wait(60s));
  CHECK_FALSE(slow.done());
}

TEST_CASE("submit is not blocked by a map whose consumer does not take") {
  fmap::thread_pool pool{1};
  auto map = pool.map(fmap::map_options{.buffersize = 4}, same, std::views::iota(0));
  CHECK(*map.begin() == 0);
  REQUIRE(eventually([&] { return map.stats().ready == 4; }));
  for (int i = 0; i < 100; ++i) CHECK(pool.submit(same, i).get() == i);
}

TEST_CASE("submit returns while all workers are busy with a map") {
  fmap::thread_pool pool{1};
  gate hold;
  opens_at_exit guard{hold};
  auto map = pool.map(
      fmap::map_options{.buffersize = 4},
      [&](int i) {
        if (i != 0) hold.pass();
        return i;
      },
      std::views::iota(0, 10));
  CHECK(*map.begin() == 0);
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  std::vector<fmap::future<int>> all;
  for (int i = 0; i < 10'000; ++i) all.push_back(pool.submit(same, i));
  CHECK_FALSE(all.front().done());
  hold.open();
  for (const auto& f : all) f.wait();
  CHECK(all.back().get() == 9999);
}

TEST_CASE("a map that times out on a busy pool never calls its function") {
  fmap::thread_pool pool{1};
  gate hold;
  opens_at_exit guard{hold};
  std::atomic<int> called{0};
  const auto busy = pool.submit([&] { hold.pass(); });
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  {
    auto map = pool.map(
        fmap::map_options{.timeout = 0s}, [&](int) { ++called; }, numbers(0, 2));
    CHECK_THROWS_AS(map.begin(), fmap::timeout_error);
  }
  hold.open();
  pool.shutdown();
  CHECK(busy.done());
  CHECK(called == 0);
}

TEST_CASE("tasks and a map share the workers' time equally (alone)") {
  fmap::thread_pool pool{2};
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> by_tasks{0}, by_map{0};
  const auto work = [](std::atomic<std::int64_t>& account) {
    const auto begun = steady_clock::now();
    busy_for(50us);
    account += (steady_clock::now() - begun).count();
  };
  // Tasks that submit the next one: there are always 500, whoever gets the processor.
  std::function<void()> task = [&] {
    work(by_tasks);
    if (!stop) pool.submit(std::ref(task));
  };
  for (int i = 0; i < 500; ++i) pool.submit(std::ref(task));
  std::jthread maps{[&] {
    auto map = pool.map(
        fmap::map_options{.buffersize = 500},
        [&](int i) {
          work(by_map);
          return i;
        },
        std::views::iota(0));
    for ([[maybe_unused]] int v : map)
      if (stop) break;
  }};
  REQUIRE(eventually([&] { return by_tasks > 0 && by_map > 0; }));
  by_tasks = by_map = 0;
  std::this_thread::sleep_for(1s);  // what is measured is what happens in a second
  const double tasks = static_cast<double>(by_tasks), map = static_cast<double>(by_map);
  stop = true;
  maps.join();
  pool.shutdown();
  INFO("tasks " << tasks << ", map " << map);
  CHECK(std::max(tasks, map) / std::min(tasks, map) < 2);
}

TEST_CASE("a flood of tasks does not starve a map") {
  std::atomic<int> left{20'000};
  fmap::thread_pool pool{1};
  for (int i = 0; i < 20'000; ++i)
    pool.submit([&] {
      busy_for(10us);
      --left;
    });
  CHECK(all_of(pool.map(same, numbers(0, 100))) == numbers(0, 100));
  CHECK(left > 0);
}

TEST_CASE("one worker is enough for tasks that come one after the other, and it is reused") {
  fmap::thread_pool pool{8};
  std::set<std::thread::id> threads;
  for (int i = 0; i < 200; ++i) {
    threads.insert(pool.submit([] { return std::this_thread::get_id(); }).get());
    std::this_thread::sleep_for(10us);
  }
  CHECK(threads.size()
        <= 4);  // who is about to sleep may not be seen yet; but no worker for each task
}

TEST_CASE("no more workers are started than the pool may have") {
  fmap::thread_pool pool{4};
  std::mutex mutex;
  std::set<std::thread::id> threads;
  gate hold;
  opens_at_exit guard{hold};
  for (int i = 0; i < 60; ++i)
    pool.submit([&] {
      hold.pass();
      std::lock_guard lock{mutex};
      threads.insert(std::this_thread::get_id());
    });
  REQUIRE(eventually([&] { return hold.waiting() == 4; }));
  const auto now = threads_now();
  std::this_thread::sleep_for(5ms);
  CHECK(hold.waiting() == 4);
  CHECK(threads_now() == now);
  hold.open();
  pool.shutdown();
  CHECK(threads.size() == 4);
}

TEST_CASE("an idle pool uses no processor time for two seconds (alone)") {
  if (memory_is_watched) return;
  CHECK(idle_cost(2s) < 2ms);
}

TEST_CASE("an idle pool uses no processor time for five seconds (alone)", "[.][long]") {
  CHECK(idle_cost(5s) < 5ms);
}
