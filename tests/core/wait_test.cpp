// SPDX-License-Identifier: BSD-3-Clause
// wait: which futures are done, and when it returns.
#include <chrono>
#include <list>
#include <map>
#include <ranges>
#include <string>
#include <vector>

#include <fmap/wait.hpp>

#include "support/catch.hpp"
#include "support/futures.hpp"
#include "support/race.hpp"

using namespace std::chrono_literals;
using futures = std::vector<fmap::future<int>>;
using test::cancelled;
using test::failed;
using test::pending;
using test::succeeded;

TEST_CASE("wait: of nothing returns nothing at once") {
  for (const auto when : {fmap::first_completed, fmap::first_exception, fmap::all_completed}) {
    const auto [done, not_done] = fmap::wait(futures{}, when);
    CHECK(done.empty());
    CHECK(not_done.empty());
  }
}

TEST_CASE("wait: duplicates count once") {
  const auto a = succeeded(), b = pending();
  const auto [done, not_done] =
      fmap::wait({a.future, b.future, a.future, b.future}, fmap::first_completed);
  CHECK(done == futures{a.future});
  CHECK(not_done == futures{b.future});
  CHECK(fmap::wait({a.future, a.future}).done == futures{a.future});
}

TEST_CASE("wait: the default is all_completed without timeout") {
  const auto a = succeeded(), b = cancelled(), c = failed();
  const auto [done, not_done] = fmap::wait({a.future, b.future, c.future});
  CHECK(done == futures{a.future, b.future, c.future});
  CHECK(not_done.empty());
}

TEST_CASE("wait: first_completed is woken by the first") {
  auto a = pending(), b = pending(), c = pending();
  fmap::wait_result<int> result;
  test::waiting_thread waiter{[&] {
    result = fmap::wait({a.future, b.future, c.future}, fmap::first_completed, 1h);
  }};
  waiter.await();
  b.promise.set_value(1);
  waiter.join();
  CHECK(result.done == futures{b.future});
  CHECK(result.not_done == futures{a.future, c.future});
}

TEST_CASE("wait: first_completed is woken by a cancel") {
  auto a = pending(), b = pending();
  fmap::wait_result<int> result;
  test::waiting_thread waiter{[&] {
    result = fmap::wait({a.future, b.future}, fmap::first_completed);
  }};
  waiter.await();
  a.future.cancel();
  waiter.join();
  CHECK(result.done == futures{a.future});
}

TEST_CASE("wait: first_completed returns at once all that are done already") {
  const auto a = cancelled(), b = succeeded(), c = pending();
  const auto [done, not_done] =
      fmap::wait(futures{a.future, b.future, c.future}, fmap::first_completed);
  CHECK(done == futures{a.future, b.future});
  CHECK(not_done == futures{c.future});
}

TEST_CASE("wait: first_exception is woken by an error, not by values and cancels") {
  auto a = pending(), b = pending(), c = pending(), d = pending();
  fmap::wait_result<int> result;
  test::waiting_thread waiter{[&] {
    result = fmap::wait({a.future, b.future, c.future, d.future}, fmap::first_exception);
  }};
  waiter.await();
  a.promise.set_value(42);
  b.future.cancel();
  c.promise.set_exception(std::runtime_error{"c"});
  waiter.join();
  CHECK(result.done == futures{a.future, b.future, c.future});
  CHECK(result.not_done == futures{d.future});
}

TEST_CASE("wait: first_exception returns at once if one has failed already") {
  const auto a = succeeded(), b = cancelled(), c = failed(), d = pending();
  const auto [done, not_done] =
      fmap::wait({a.future, b.future, c.future, d.future}, fmap::first_exception);
  CHECK(done == futures{a.future, b.future, c.future});
  CHECK(not_done == futures{d.future});
}

TEST_CASE("wait: first_exception without errors waits for all") {
  auto a = succeeded(), b = pending(), c = cancelled();
  CHECK(fmap::wait({a.future, b.future, c.future}, fmap::first_exception, 1ms).done.size() == 2);
  b.promise.set_value(1);
  CHECK(fmap::wait({a.future, b.future, c.future}, fmap::first_exception).done.size() == 3);
}

TEST_CASE("wait: all_completed is woken by the last") {
  auto a = pending(), b = pending(), c = pending();
  fmap::wait_result<int> result;
  test::waiting_thread waiter{[&] {
    result = fmap::wait({a.future, b.future, c.future}, fmap::all_completed);
  }};
  waiter.await();
  c.promise.set_value(1);
  a.promise.set_exception(std::runtime_error{"a"});
  b.future.cancel();
  waiter.join();
  CHECK(result.done == futures{a.future, b.future, c.future});
  CHECK(result.not_done.empty());
}

TEST_CASE("wait: after the timeout it returns what is done and what is not") {
  const auto a = cancelled(), b = failed(), c = succeeded(), d = pending();
  const auto start = std::chrono::steady_clock::now();
  const auto [done, not_done] =
      fmap::wait({a.future, b.future, c.future, d.future}, fmap::all_completed, 20ms);
  CHECK(std::chrono::steady_clock::now() - start >= 20ms);
  CHECK(done == futures{a.future, b.future, c.future});
  CHECK(not_done == futures{d.future});
}

TEST_CASE("wait: timeout 0 only looks") {
  const auto a = succeeded(), b = pending();
  const auto [done, not_done] = fmap::wait({a.future, b.future}, fmap::all_completed, 0s);
  CHECK(done == futures{a.future});
  CHECK(not_done == futures{b.future});
}

TEST_CASE("wait: a negative timeout and a default-constructed future are refused") {
  const auto a = succeeded();
  CHECK_THROWS_AS(fmap::wait({a.future}, fmap::all_completed, -1s), std::invalid_argument);
  CHECK_THROWS_AS(fmap::wait({a.future, {}}), fmap::invalid_state);
  CHECK_THROWS_WITH(fmap::wait({fmap::future<int>{}}, fmap::all_completed, 0s),
                    "fmap: cannot wait for a future without shared state: it was "
                    "default-constructed or moved from");
}

TEST_CASE("wait: takes any range of futures and leaves it as it is") {
  const auto a = succeeded(), b = succeeded();
  std::list<fmap::future<int>> list{a.future, b.future};
  CHECK(fmap::wait(list).done.size() == 2);
  CHECK(list.front() == a.future);
  const std::map<std::string, fmap::future<int>> urls{{"a", a.future}, {"b", b.future}};
  CHECK(fmap::wait(urls | std::views::values).done.size() == 2);
  const std::vector<const test::sample*> samples{&a, &b};
  CHECK(fmap::wait(samples | std::views::transform([](auto* s) { return s->future; })).done
        == futures{a.future, b.future});
  fmap::promise<void> nothing;
  nothing.set_value();
  CHECK(fmap::wait({nothing.get_future()}).done.size() == 1);
}

TEST_CASE("wait: several threads wait for overlapping futures") {
  auto a = pending(), b = pending(), c = pending();
  fmap::wait_result<int> first, second;
  test::waiting_thread one{[&] { first = fmap::wait({a.future, b.future}); }};
  test::waiting_thread two{[&] { second = fmap::wait({b.future, c.future}); }};
  one.await();
  two.await();
  b.promise.set_value(1);
  c.promise.set_value(1);
  two.join();
  CHECK(second.not_done.empty());
  CHECK_FALSE(a.future.done());
  a.promise.set_value(1);
  one.join();
  CHECK(first.done.size() == 2);
}
