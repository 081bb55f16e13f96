// SPDX-License-Identifier: BSD-3-Clause
// future: its states, results and errors.
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include <fmap/future.hpp>

#include "support/catch.hpp"
#include "support/futures.hpp"
#include "support/race.hpp"

using namespace std::chrono_literals;
using test::cancelled;
using test::failed;
using test::pending;
using test::running;
using test::succeeded;

TEST_CASE("future: a pending future can be cancelled") {
  auto s = pending();
  CHECK(s.future.cancel());
  CHECK(s.future.cancelled());
  CHECK(s.future.done());
}

TEST_CASE("future: a running future cannot be cancelled") {
  auto s = running();
  CHECK_FALSE(s.future.cancel());
  CHECK(s.future.running());
  CHECK_FALSE(s.future.cancelled());
}

TEST_CASE("future: cancelling a cancelled future again is true") {
  auto s = cancelled();
  CHECK(s.future.cancel());
  CHECK(s.future.cancelled());
}

TEST_CASE("future: a finished future cannot be cancelled") {
  auto s = succeeded();
  CHECK_FALSE(s.future.cancel());
  CHECK(s.future.get() == 42);
  auto e = failed();
  CHECK_FALSE(e.future.cancel());
  CHECK_FALSE(e.future.cancelled());
}

TEST_CASE("future: done, running and cancelled in every state") {
  struct expectation {
    test::sample sample;
    bool done, running, cancelled;
  };
  const expectation all[] = {{pending(), false, false, false},
                             {running(), false, true, false},
                             {cancelled(), true, false, true},
                             {failed(), true, false, false},
                             {succeeded(), true, false, false}};
  for (const auto& e : all) {
    CHECK(e.sample.future.done() == e.done);
    CHECK(e.sample.future.running() == e.running);
    CHECK(e.sample.future.cancelled() == e.cancelled);
    CHECK(e.sample.future.wait(0s) == e.done);
  }
}

TEST_CASE("future: get with timeout 0 only looks, in every state") {
  CHECK_THROWS_AS(pending().future.get(0s), fmap::timeout_error);
  CHECK_THROWS_AS(running().future.get(0s), fmap::timeout_error);
  CHECK_THROWS_AS(cancelled().future.get(0s), fmap::cancelled_error);
  CHECK_THROWS_AS(failed().future.get(0s), std::invalid_argument);
  CHECK(succeeded().future.get(0s) == 42);
}

TEST_CASE("future: exception with timeout 0 only looks, in every state") {
  CHECK_THROWS_AS(pending().future.exception(0s), fmap::timeout_error);
  CHECK_THROWS_AS(running().future.exception(0s), fmap::timeout_error);
  CHECK_THROWS_AS(cancelled().future.exception(0s), fmap::cancelled_error);
  CHECK(failed().future.exception(0s) != nullptr);
  CHECK(succeeded().future.exception(0s) == nullptr);
}

TEST_CASE("future: get, exception and take without timeout when it is done") {
  CHECK_THROWS_AS(cancelled().future.get(), fmap::cancelled_error);
  CHECK_THROWS_AS(cancelled().future.take(), fmap::cancelled_error);
  CHECK_THROWS_AS(cancelled().future.exception(), fmap::cancelled_error);
  CHECK_THROWS_WITH(failed().future.get(), "failed");
  CHECK_THROWS_WITH(failed().future.take(), "failed");
  CHECK_THROWS_WITH(std::rethrow_exception(failed().future.exception()), "failed");
}

TEST_CASE("future: waiting longer than the timeout") {
  const auto s = pending();
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(s.future.wait(5ms));
  CHECK_THROWS_AS(s.future.get(5ms), fmap::timeout_error);
  CHECK_THROWS_AS(s.future.take(5ms), fmap::timeout_error);
  CHECK_THROWS_AS(s.future.exception(5ms), fmap::timeout_error);
  CHECK(std::chrono::steady_clock::now() - start >= 20ms);
}

TEST_CASE("future: a negative timeout is refused") {
  const auto s = succeeded();
  CHECK_THROWS_AS(s.future.wait(-1ms), std::invalid_argument);
  CHECK_THROWS_AS(s.future.get(-1ns), std::invalid_argument);
  CHECK_THROWS_AS(s.future.take(-1h), std::invalid_argument);
  CHECK_THROWS_WITH(s.future.exception(std::chrono::duration<double>{-0.5}),
                    "fmap: timeout is negative or not a number");
}

TEST_CASE("future: a huge timeout is forever, in any unit") {
  auto s = pending();
  test::waiting_thread waiter{[f = s.future] {
    f.get(std::chrono::hours::max());
    f.get(std::chrono::nanoseconds::max());
    f.get(std::chrono::duration<float>{std::numeric_limits<float>::infinity()});
  }};
  waiter.await();
  s.promise.set_value(1);
}

TEST_CASE("future: a waiting get is woken by a value") {
  auto s = pending();
  int got = 0;
  test::waiting_thread waiter{[&] { got = s.future.get(1h); }};
  waiter.await();
  s.promise.set_value(42);
  waiter.join();
  CHECK(got == 42);
}

TEST_CASE("future: a waiting get is woken by cancel") {
  auto s = pending();
  bool thrown = false;
  test::waiting_thread waiter{[&] {
    try {
      s.future.get();
    } catch (const fmap::cancelled_error&) {
      thrown = true;
    }
  }};
  waiter.await();
  CHECK(s.future.cancel());
  waiter.join();
  CHECK(thrown);
}

TEST_CASE("future: a waiting exception() is woken by an error") {
  auto s = running();
  std::exception_ptr got;
  test::waiting_thread waiter{[&] { got = s.future.exception(1h); }};
  waiter.await();
  s.promise.set_exception(std::runtime_error{"late"});
  waiter.join();
  CHECK_THROWS_WITH(std::rethrow_exception(got), "late");
}

TEST_CASE("future: several threads wait for one result") {
  auto s = pending();
  std::atomic<int> sum{0};
  {
    std::vector<std::unique_ptr<test::waiting_thread>> waiters;
    for (int i = 0; i < 8; ++i)
      waiters.push_back(std::make_unique<test::waiting_thread>([&] { sum += s.future.get(); }));
    for (const auto& w : waiters) w->await();
    s.promise.set_value(5);
  }
  CHECK(sum == 40);
}

TEST_CASE("future: waiting again and again leaves nothing behind") {
  auto s = pending();
  for (int i = 0; i < 100; ++i) CHECK_FALSE(s.future.wait(1us));
  s.promise.set_value(1);
  CHECK(s.future.wait());
}

TEST_CASE("future: get returns the same object every time, and to every copy") {
  fmap::promise<std::string> p;
  const auto f = p.get_future();
  const auto g = f;
  p.set_value("value");
  CHECK(&f.get() == &g.get());
  CHECK(f.get() == "value");
}

TEST_CASE("future: a move-only value can be read in place and taken once") {
  fmap::promise<std::unique_ptr<int>> p;
  const auto f = p.get_future();
  p.set_value(std::make_unique<int>(7));
  CHECK(*f.get() == 7);
  const std::unique_ptr<int> mine = f.take();
  CHECK(*mine == 7);
  CHECK_THROWS_AS(f.take(), fmap::invalid_state);
  CHECK_THROWS_WITH(f.get(), "fmap: the future's value has already been taken");
  CHECK(f.done());
  CHECK(f.exception() == nullptr);
}

TEST_CASE("future: values need not be default-constructible") {
  struct number {
    explicit number(int n) : n{n} {}
    int n;
  };
  fmap::promise<number> p;
  p.set_value(3);
  CHECK(p.get_future().get().n == 3);
}

TEST_CASE("future: void") {
  fmap::promise<void> p;
  const fmap::future<void> f = p.get_future();
  CHECK_FALSE(f.wait(0s));
  CHECK(p.set_value());
  f.get();
  CHECK(f.exception() == nullptr);
  f.take();
  CHECK_THROWS_AS(f.take(), fmap::invalid_state);
  fmap::promise<void> q;
  q.set_exception(std::runtime_error{"no"});
  CHECK_THROWS_WITH(q.get_future().get(), "no");
}

TEST_CASE("future: comparison and hash are by identity") {
  const auto a = succeeded(1), b = succeeded(1);
  const auto copy = a.future;
  CHECK(copy == a.future);
  CHECK(a.future != b.future);
  CHECK(a.promise.get_future() == a.future);
  CHECK(fmap::future<int>{} == fmap::future<int>{});
  const std::unordered_set<fmap::future<int>> set{a.future, b.future, copy};
  CHECK(set.size() == 2);
}

TEST_CASE("future: without shared state everything throws invalid_state") {
  fmap::promise<int> p;
  fmap::future<int> moved = p.get_future();
  CHECK(moved.valid());
  const auto other = std::move(moved);
  for (const fmap::future<int>& f : {fmap::future<int>{}, std::as_const(moved)}) {
    CHECK_FALSE(f.valid());
    CHECK_THROWS_AS(f.get(), fmap::invalid_state);
    CHECK_THROWS_AS(f.get(0s), fmap::invalid_state);
    CHECK_THROWS_AS(f.take(), fmap::invalid_state);
    CHECK_THROWS_AS(f.wait(), fmap::invalid_state);
    CHECK_THROWS_AS(f.wait(1s), fmap::invalid_state);
    CHECK_THROWS_AS(f.exception(), fmap::invalid_state);
    CHECK_THROWS_AS(f.done(), fmap::invalid_state);
    CHECK_THROWS_AS(f.running(), fmap::invalid_state);
    CHECK_THROWS_AS(f.cancelled(), fmap::invalid_state);
    CHECK_THROWS_AS(f.cancel(), fmap::invalid_state);
    CHECK_THROWS_AS(f.add_done_callback([](const auto&) {}), fmap::invalid_state);
    CHECK_THROWS_WITH(f.done(), "fmap: this future has no shared state: it was "
                                "default-constructed or moved from");
  }
}
