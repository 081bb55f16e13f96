// SPDX-License-Identifier: BSD-3-Clause
// Initializers of thread pools, and pools that they break.
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

thread_local int status = 0;

int twice(int x) { return 2 * x; }

/// What the future's broken_pool was caused by.
template <class T>
std::string cause_of(const fmap::future<T>& f) {
  try {
    f.get();
  } catch (const fmap::broken_pool& e) {
    return message_of(e.cause());
  } catch (...) {
    return "not a broken_pool";
  }
  return "nothing";
}

std::string cause_of_submit(fmap::thread_pool& pool) {
  try {
    pool.submit(twice, 1);
  } catch (const fmap::broken_pool& e) {
    return message_of(e.cause());
  }
  return "nothing";
}

}  // namespace

TEST_CASE("the initializer has run in the thread of every task") {
  fmap::thread_pool pool{{.workers = 2, .initializer = [] { status = 7; }}};
  std::vector<fmap::future<int>> all;
  for (int i = 0; i < 200; ++i) all.push_back(pool.submit([] { return status; }));
  for (const auto& f : all) CHECK(f.get() == 7);
  CHECK(status == 0);
}

TEST_CASE("an initializer that throws an exception whose what() is null breaks the pool") {
  struct mute : std::exception {
    const char* what() const noexcept override { return nullptr; }
  };
  fmap::thread_pool pool{{.workers = 2, .initializer = [] { throw mute{}; }}};
  std::string text;
  try {
    pool.submit(twice, 1).get(20s);
  } catch (const fmap::broken_pool& e) {
    CHECK_THROWS_AS(std::rethrow_exception(e.cause()), mute);
    text = e.what();
  }
  CHECK(text.find("mute (its what() is null)") != std::string::npos);
}

TEST_CASE("the initializer runs once per worker, before its first task") {
  std::atomic<int> runs{0};
  std::mutex mutex;
  std::set<std::thread::id> initialized, worked;
  gate hold;
  opens_at_exit guard{hold};
  fmap::thread_pool pool{{.workers = 3, .initializer = [&] {
                            ++runs;
                            std::lock_guard lock{mutex};
                            initialized.insert(std::this_thread::get_id());
                          }}};
  const auto work = [&] {
    {
      std::lock_guard lock{mutex};
      worked.insert(std::this_thread::get_id());
    }
    hold.pass();
  };
  for (int i = 0; i < 3; ++i) pool.submit(work);
  REQUIRE(eventually([&] { return hold.waiting() == 3; }));
  hold.open();
  for (int i = 0; i < 100; ++i) pool.submit(work);
  pool.shutdown();
  CHECK(runs == 3);
  CHECK(worked == initialized);
}

TEST_CASE("a pool that does nothing runs no initializer") {
  std::atomic<int> runs{0};
  {
    fmap::thread_pool pool{{.workers = 3, .initializer = [&] { ++runs; }}};
  }
  CHECK(runs == 0);
}

TEST_CASE("a task of a pool whose initializer throws gets broken_pool with the cause") {
  fmap::thread_pool pool{
      {.workers = 2, .initializer = [] { throw std::domain_error{"error in initializer"}; }}};
  const auto f = pool.submit(twice, 1);
  CHECK(cause_of(f) == "error in initializer");
  CHECK_THROWS_AS(f.get(), fmap::broken_pool);
  CHECK(message_of(f.exception()).find("error in initializer") != std::string::npos);
}

TEST_CASE("all pending tasks get the cause, however many, and submitting later throws it") {
  gate hold;
  opens_at_exit guard{hold};
  fmap::thread_pool pool{{.workers = 2, .initializer = [&] {
                            hold.pass();
                            throw std::domain_error{"error in initializer"};
                          }}};
  std::atomic<int> ran{0}, called{0};
  std::vector<fmap::future<void>> pending;
  for (int i = 0; i < 1000; ++i) {
    pending.push_back(pool.submit([&] { ++ran; }));
    pending.back().add_done_callback([&](const fmap::future<void>&) { ++called; });
  }
  hold.open();
  int right = 0;
  for (const auto& f : pending)
    if (cause_of(f) == "error in initializer") ++right;
  CHECK(right == 1000);
  CHECK(ran == 0);
  CHECK(cause_of_submit(pool) == "error in initializer");
  pool.shutdown();
  CHECK(called == 1000);
  CHECK_THROWS_AS(pool.submit(twice, 1), fmap::broken_pool);
}

TEST_CASE("an initializer that throws in one worker only breaks the pool, what runs is finished") {
  std::atomic<int> initialized{0};
  gate running, hold;
  opens_at_exit guard_running{running}, guard{hold};
  fmap::thread_pool pool{{.workers = 2, .initializer = [&] {
                            if (++initialized == 2) {
                              running.pass();
                              throw std::domain_error{"second worker"};
                            }
                          }}};
  const auto first = pool.submit([&] {
    hold.pass();
    return 1;
  });
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  std::vector<fmap::future<int>> pending;
  for (int i = 0; i < 100; ++i) pending.push_back(pool.submit(twice, i));
  REQUIRE(eventually([&] { return running.waiting() == 1; }));
  running.open();
  for (const auto& f : pending) CHECK(cause_of(f) == "second worker");
  CHECK_FALSE(first.done());
  hold.open();
  CHECK(first.get() == 1);
  CHECK(cause_of_submit(pool) == "second worker");
}

TEST_CASE("a task that was cancelled before the pool broke stays cancelled") {
  gate hold;
  opens_at_exit guard{hold};
  fmap::thread_pool pool{{.workers = 1, .initializer = [&] {
                            hold.pass();
                            throw std::domain_error{"broken"};
                          }}};
  const auto kept = pool.submit(twice, 1), dropped = pool.submit(twice, 2);
  CHECK(dropped.cancel());
  hold.open();
  CHECK(cause_of(kept) == "broken");
  CHECK(dropped.cancelled());
}

TEST_CASE("an initializer may throw anything") {
  fmap::thread_pool pool{{.workers = 1, .initializer = [] { throw 42; }}};
  const auto f = pool.submit(twice, 1);
  try {
    f.get();
    FAIL("no exception");
  } catch (const fmap::broken_pool& e) {
    CHECK_THROWS_AS(std::rethrow_exception(e.cause()), int);
  }
}

TEST_CASE("a broken pool can be shut down and destroyed in every way") {
  for (const bool wait : {true, false})
    for (const bool cancel : {true, false}) {
      fmap::thread_pool pool{{.workers = 2, .initializer = [] { throw 1; }}};
      const auto f = pool.submit(twice, 1);
      f.wait();
      pool.shutdown({.wait = wait, .cancel_futures = cancel});
    }
}

TEST_CASE("a pool that is shut down while its initializer throws hangs nobody") {
  for (int round = 0; round < 200; ++round) {
    std::vector<fmap::future<int>> all;
    {
      fmap::thread_pool pool{{.workers = 2, .initializer = [] { throw 1; }}};
      try {
        for (int i = 0; i < 10; ++i) all.push_back(pool.submit(twice, i));
      } catch (const fmap::broken_pool&) {}
    }
    for (const auto& f : all) REQUIRE(f.done());
  }
}

TEST_CASE("what the tasks of a broken pool held is freed, though their futures live on") {
  gate hold;
  opens_at_exit guard{hold};
  std::vector<fmap::future<void>> all;
  {
    fmap::thread_pool pool{{.workers = 1, .initializer = [&] {
                              hold.pass();
                              throw 1;
                            }}};
    for (int i = 0; i < 10; ++i) all.push_back(pool.submit([](const counted&) {}, counted{i}));
    hold.open();
  }
  for (const auto& f : all) REQUIRE(f.done());
  CHECK(counted::alive == 0);
}

TEST_CASE("an initializer may use another pool") {
  fmap::thread_pool other{1};
  fmap::thread_pool pool{
      {.workers = 1, .initializer = [&] { status = other.submit(twice, 4).get(); }}};
  CHECK(pool.submit([] { return status; }).get() == 8);
}

TEST_CASE("an initializer may submit to its own pool") {
  std::atomic<int> ran{0};
  fmap::thread_pool* self = nullptr;
  fmap::thread_pool pool{{.workers = 2, .initializer = [&] { self->submit([&] { ++ran; }); }}};
  self = &pool;
  pool.submit([] {}).get();
  pool.shutdown();
  CHECK(ran >= 1);
}
