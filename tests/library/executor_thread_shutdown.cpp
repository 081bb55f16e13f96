// SPDX-License-Identifier: BSD-3-Clause
// The end of a thread pool, seen from inside its own workers and callbacks.
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
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

bool takes_no_work(fmap::thread_pool& pool) {
  try {
    pool.submit([] {});
    return false;
  } catch (const fmap::pool_shutdown&) {
    return true;
  }
}

/// Makes the pool learn that tasks are tiny, so that it hands them out in large batches.
void warm_up(fmap::thread_pool& pool) {
  std::vector<fmap::future<void>> tiny;
  for (int i = 0; i < 2000; ++i) tiny.push_back(pool.submit([] {}));
  for (const auto& f : tiny) f.wait();
}

}  // namespace

TEST_CASE(
    "a task that shuts its pool down and would wait gets would_deadlock, the shutdown begins") {
  fmap::thread_pool pool{2};
  const auto f = pool.submit([&] { pool.shutdown(); });
  CHECK_THROWS_AS(f.get(), fmap::would_deadlock);
  CHECK(takes_no_work(pool));
  pool.shutdown();
}

TEST_CASE("a task may shut its pool down without waiting") {
  fmap::thread_pool pool{1};
  const auto f = pool.submit([&] {
    pool.shutdown({.wait = false});
    return takes_no_work(pool);
  });
  CHECK(f.get());
  pool.shutdown();
}

TEST_CASE("a task may cancel the tasks behind it") {
  fmap::thread_pool pool{1};
  gate hold;
  opens_at_exit guard{hold};
  const auto first = pool.submit([&] {
    hold.pass();
    pool.shutdown({.wait = false, .cancel_futures = true});
  });
  const auto second = pool.submit([] {});
  hold.open();
  first.get();
  pool.shutdown();
  CHECK(second.cancelled());
}

TEST_CASE("cancel_futures reaches the tasks that a worker has been given and has not started") {
  fmap::thread_pool pool{1};
  warm_up(pool);
  gate first, hold;
  opens_at_exit guard_first{first}, guard{hold};
  pool.submit([&] { first.pass(); });
  REQUIRE(eventually([&] { return first.waiting() == 1; }));
  const auto running = pool.submit([&] { hold.pass(); });
  std::vector<fmap::future<void>> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(pool.submit([] {}));
  first.open();
  while (hold.waiting() == 0) std::this_thread::yield();
  pool.shutdown({.wait = false, .cancel_futures = true});
  hold.open();
  for (const auto& f : waiting) CHECK(f.cancelled());
  CHECK_FALSE(running.cancelled());
}

TEST_CASE("a done-callback in a worker that would wait for the shutdown gets would_deadlock") {
  fmap::thread_pool pool{1};
  gate hold;
  opens_at_exit guard{hold};
  std::atomic<bool> refused{false};
  const auto f = pool.submit([&] { hold.pass(); });
  f.add_done_callback([&](const fmap::future<void>&) {
    try {
      pool.shutdown();
    } catch (const fmap::would_deadlock&) {
      refused = true;
    }
  });
  hold.open();
  CHECK(eventually([&] { return refused.load(); }));
  CHECK(takes_no_work(pool));
}

TEST_CASE(
    "a done-callback of a task that a shutdown cancels may call shutdown, but not wait in vain") {
  gate hold;
  opens_at_exit guard{hold};
  auto pool = std::make_unique<fmap::thread_pool>(1);
  pool->submit([&] { hold.pass(); });
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  std::atomic<bool> went_on{false}, down{false};
  pool->submit([] {}).add_done_callback([&](const fmap::future<void>&) {
    hold.open();
    try {
      pool->shutdown();
    } catch (const fmap::would_deadlock&) {}
    went_on = true;
  });
  std::thread shutter{[&] {
    pool->shutdown({.cancel_futures = true});
    down = true;
  }};
  if (!eventually([&] { return down.load(); })) {
    static_cast<void>(pool.release());  // its destructor would hang, too
    shutter.detach();
    FAIL("it hangs");
  }
  shutter.join();
  CHECK(went_on);
}

TEST_CASE("a task may own the last handle to its pool") {
  for (int round = 0; round < 200; ++round) {
    auto pool = std::make_shared<fmap::thread_pool>(2);
    const auto f = pool->submit([pool]() mutable {
      pool.reset();
      return 1;
    });
    pool.reset();
    CHECK(f.get() == 1);
  }
}

TEST_CASE("the arguments of the last task may own the last handle to its pool") {
  for (int round = 0; round < 200; ++round) {
    auto pool = std::make_shared<fmap::thread_pool>(1);
    auto& p = *pool;
    const auto f =
        p.submit([](const std::shared_ptr<fmap::thread_pool>& mine) { return mine->workers(); },
                 std::move(pool));
    CHECK(f.get() == 1);
  }
}

TEST_CASE("a done-callback may destroy the pool") {
  for (int round = 0; round < 200; ++round) {
    auto pool = std::make_shared<fmap::thread_pool>(2);
    std::atomic<bool> gone{false};
    const auto f = pool->submit([] {});
    f.add_done_callback([&gone, pool](const fmap::future<void>&) mutable {
      pool.reset();
      gone = true;
    });
    pool.reset();
    REQUIRE(eventually([&] { return gone.load(); }));
  }
}

TEST_CASE("a task may destroy another pool, with what runs there") {
  fmap::thread_pool outer{1};
  const auto f = outer.submit([] {
    std::vector<fmap::future<int>> all;
    {
      fmap::thread_pool inner{2};
      for (int i = 0; i < 100; ++i) all.push_back(inner.submit([i] { return i; }));
    }
    return std::ranges::all_of(all, [](const auto& one) { return one.done(); });
  });
  CHECK(f.get());
}

TEST_CASE("what runs when a pool is shut down without waiting is finished and freed") {
  gate hold;
  opens_at_exit guard{hold};
  std::atomic<int> finished{0};
  {
    std::optional<fmap::thread_pool> pool{std::in_place, 2};
    for (int i = 0; i < 10; ++i)
      pool->submit(
          [&](const counted&) {
            hold.pass();
            ++finished;
          },
          counted{i});
    REQUIRE(eventually([&] { return hold.waiting() == 2; }));
    pool->shutdown({.wait = false});
    CHECK(finished == 0);
    CHECK(counted::alive == 10);
    hold.open();
  }
  CHECK(finished == 10);
  CHECK(counted::alive == 0);
}

TEST_CASE("a shutdown that waits in one thread lets another thread's return at once") {
  fmap::thread_pool pool{1};
  gate hold;
  opens_at_exit guard{hold};
  const auto f = pool.submit([&] { hold.pass(); });
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  std::atomic<bool> down{false};
  std::jthread waits{[&] {
    pool.shutdown();
    down = true;
  }};
  REQUIRE(eventually([&] { return takes_no_work(pool); }));
  pool.shutdown({.wait = false});
  CHECK_FALSE(down);
  CHECK_FALSE(f.done());
  hold.open();
  CHECK(eventually([&] { return down.load(); }));
}

TEST_CASE("the threads of a pool are gone after its shutdown") {
  fmap::thread_pool keeps_the_system{1};
  keeps_the_system.submit([] {}).get();
  std::size_t before = 0;
  REQUIRE(eventually([&] { return std::exchange(before, threads_now()) == threads_now(); }));
  fmap::thread_pool pool{4};
  gate hold;
  opens_at_exit guard{hold};
  for (int i = 0; i < 4; ++i) pool.submit([&] { hold.pass(); });
  REQUIRE(eventually([&] { return hold.waiting() == 4; }));
  CHECK(threads_now() >= before + 4);
  hold.open();
  pool.shutdown();
  CHECK(eventually([&] { return threads_now() <= before; }));
}
