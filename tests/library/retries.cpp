// SPDX-License-Identifier: BSD-3-Clause
// Items that fail and are tried again.
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"

using namespace std::chrono_literals;
using testing::message_of;

namespace {

/// Fails for each item so often, and counts the calls.
class fails {
public:
  explicit fails(int times, int items) : times_{times}, calls_(static_cast<std::size_t>(items)) {}

  int operator()(int x) const {
    const int call = ++calls_[static_cast<std::size_t>(x)];
    if (call <= times_) throw fmap::transient{"call " + std::to_string(call)};
    return x;
  }
  int calls(int x) const { return calls_[static_cast<std::size_t>(x)]; }

private:
  const int times_;
  mutable std::vector<std::atomic<int>> calls_;
};

fmap::retry_policy soon(unsigned attempts) {
  return {.attempts = attempts, .first = 1ms, .most = 5ms};
}

}  // namespace

TEST_CASE("retry: what fails is tried again, and succeeds") {
  fmap::thread_pool pool{2};
  const fails fn{2, 1000};
  fmap::future_map m{pool,
                     [&fn](int x) { return fn(x); },
                     std::views::iota(0, 1000),
                     {.buffersize = 50, .ordered = true, .retry = soon(3)}};
  int next = 0;
  for (const auto& o : m.outcomes()) {
    REQUIRE(o.has_value());
    REQUIRE(o.value() == next);
    REQUIRE(o.tries() == 3);
    REQUIRE(o.attempts() == 1);
    ++next;
  }
  CHECK(next == 1000);
  for (int x = 0; x != 1000; ++x) REQUIRE(fn.calls(x) == 3);
  CHECK(m.stats().failed == 0);
  CHECK(m.stats().peak_in_flight <= 50);
  CHECK(m.stats().waiting == 0);
}

TEST_CASE("retry: after the last attempt the error stands") {
  fmap::thread_pool pool{2};
  const fails fn{5, 100};
  fmap::future_map m{
      pool, [&fn](int x) { return fn(x); }, std::views::iota(0, 100), {.retry = soon(4)}};
  int errors = 0;
  for (const auto& o : m.outcomes()) {
    errors += o.what() == "call 4";
    CHECK(o.tries() == 4);
  }
  CHECK(errors == 100);
  CHECK(m.stats().failed == 100);
}

TEST_CASE("retry: the predicate says which errors are worth it, and transient always is") {
  fmap::thread_pool pool{2};
  std::vector<std::atomic<int>> calls(3);
  const auto throws = [&calls](int x) -> int {
    ++calls[static_cast<std::size_t>(x)];
    if (x == 0) throw std::runtime_error{"no"};
    if (x == 1) throw std::out_of_range{"yes"};
    throw fmap::transient{"always"};
  };
  fmap::retry_policy policy = soon(3);
  policy.on = [](const std::exception_ptr& e) {
    try {
      std::rethrow_exception(e);
    } catch (const std::out_of_range&) {
      return true;
    } catch (const std::runtime_error&) {
      throw std::logic_error{"counts as no"};
    }
  };
  fmap::future_map m{pool, throws, std::views::iota(0, 3), {.retry = policy}};
  for (const auto& o : m.outcomes()) CHECK_FALSE(o.has_value());
  CHECK(calls[0] == 1);
  CHECK(calls[1] == 3);
  CHECK(calls[2] == 3);
}

TEST_CASE("retry: waiting items keep no worker, and their tokens") {
  fmap::thread_pool pool{2};
  std::atomic<int> called{0};
  const auto fn = [&called](int x) {
    ++called;
    if (x < 10) throw fmap::transient{"later"};
    return x;
  };
  fmap::future_map m{
      pool,
      fn,
      std::views::iota(0, 100),
      {.buffersize = 16, .retry = fmap::retry_policy{.attempts = 2, .first = 10s, .jitter = 0}}};
  auto it = m.begin();
  for (int n = 1; n != 90; ++n) ++it;  // all others pass them by
  const auto s = m.stats();
  CHECK(s.waiting == 10);
  CHECK(s.running == 0);
  CHECK(s.in_flight == 10);
  CHECK(s.pulled == 100);
  CHECK(s.peak_in_flight <= 16);
  CHECK(called == 100);
  const auto began = std::chrono::steady_clock::now();
  { const fmap::future_map left = std::move(m); }
  CHECK(std::chrono::steady_clock::now() - began < 5s);  // and not 10
}

TEST_CASE("retry: a pool that breaks or is stopped meanwhile loses nothing") {
  std::stop_source stop;
  fmap::thread_pool pool{2};
  const auto fn = [](int) -> int { throw fmap::transient{"later"}; };
  fmap::future_map m{pool,
                     fn,
                     std::views::iota(0, 8),
                     {.buffersize = 8,
                      .stop = stop.get_token(),
                      .retry = fmap::retry_policy{.attempts = 2, .first = 100s}}};
  std::thread stopper{[&] {
    testing::eventually([&] { return m.stats().waiting == 8; });
    stop.request_stop();
  }};
  int seen = 0;
  for ([[maybe_unused]] const auto& o : m.outcomes()) ++seen;
  stopper.join();
  CHECK(seen == 0);
  CHECK(m.stats().dropped == 8);
  CHECK(m.stats().waiting == 0);
}

TEST_CASE("retry: shutting down waits for what is to be tried again") {
  const fails fn{1, 20};
  fmap::thread_pool pool{2};
  fmap::future_map m{pool,
                     [&fn](int x) { return fn(x); },
                     std::views::iota(0, 20),
                     {.buffersize = 20, .retry = soon(2)}};
  auto it = m.begin();
  int seen = 0;
  for (; it != m.end(); ++it) ++seen;
  pool.shutdown();
  CHECK(seen == 20);
}

TEST_CASE("retry: the function gets its item whole each time") {
  fmap::thread_pool pool{2};
  std::atomic<int> calls{0};
  const auto eats = [&calls](std::string s) {
    const std::string mine = std::move(s);
    if (++calls % 2 == 1) throw fmap::transient{"again"};
    return mine;
  };
  const std::string text(100, 'x');
  fmap::future_map m{
      pool, eats, std::vector<std::string>(50, text), {.buffersize = 1, .retry = soon(9)}};
  int seen = 0;
  for (const std::string& s : m) seen += s == text;
  CHECK(seen == 50);
}

TEST_CASE("retry: large items stay where they are") {
  struct large {
    char bytes[5000];
    int n;
  };
  fmap::thread_pool pool{2};
  const fails fn{1, 40};
  auto items = std::views::iota(0, 40) | std::views::transform([](int n) { return large{{}, n}; });
  fmap::future_map m{pool, [&fn](const large& l) { return fn(l.n); }, items, {.retry = soon(2)}};
  int sum = 0;
  for (const int x : m) sum += x;
  CHECK(sum == 780);
}

TEST_CASE("retry: items that cannot be copied are refused, unless they are taken as constants") {
  fmap::thread_pool pool{2};
  std::vector<std::unique_ptr<int>> owners(3);
  const auto eats = [&] {
    fmap::future_map m{
        pool, [](std::unique_ptr<int> p) { return !p; }, std::move(owners), {.retry = soon(2)}};
  };
  CHECK_THAT(message_of<std::invalid_argument>(eats),
             Catch::Contains("retry: the item is moved into the call"));
  std::atomic<int> calls{0};
  std::vector<std::unique_ptr<int>> others;
  others.push_back(std::make_unique<int>(7));
  fmap::future_map m{pool,
                     [&calls](const std::unique_ptr<int>& p) {
                       if (++calls == 1) throw fmap::transient{"again"};
                       return *p;
                     },
                     std::move(others),
                     {.retry = soon(2)}};
  for (const int x : m) CHECK(x == 7);
  CHECK(calls == 2);
}

TEST_CASE("retry: policies that make no sense, and maps that have no pool") {
  fmap::thread_pool pool{2};
  const auto with = [&pool](fmap::retry_policy p) {
    return message_of<std::invalid_argument>([&] {
      fmap::future_map m{pool, [](int x) { return x; }, std::vector{1}, {.retry = p}};
    });
  };
  CHECK_THAT(with({.attempts = 0}), Catch::Contains("attempts must be at least 1"));
  CHECK_THAT(with({.first = -1s}), Catch::Contains("first is negative"));
  CHECK_THAT(with({.factor = 0.5}), Catch::Contains("factor must be at least 1"));
  CHECK_THAT(with({.most = -1s}), Catch::Contains("most is negative"));
  CHECK_THAT(with({.jitter = 1.5}), Catch::Contains("jitter must be between 0 and 1"));
  CHECK_THAT(message_of<std::invalid_argument>([&] {
               fmap::future_map m{[&](int x) { return pool.submit([x] { return x; }); },
                                  std::vector{1},
                                  {.retry = soon(2)}};
             }),
             Catch::Contains("retry is for maps on pools"));
}

TEST_CASE("retry: leaving a map during a pause is quick, a thousand times") {
  fmap::thread_pool pool{2};
  const auto fn = [](int x) {
    if (x % 2 == 1) throw fmap::transient{"later"};
    return x;
  };
  for (int n = 0; n != 1000; ++n) {
    fmap::future_map m{
        pool,
        fn,
        std::views::iota(0),
        {.buffersize = 8,
         .retry = fmap::retry_policy{.attempts = 1'000'000, .first = 100us * (n % 5)}}};
    int left = n % 6;  // later on all tokens are those of odd items
    for ([[maybe_unused]] const int x : m)
      if (left-- == 0) break;
  }
  CHECK(pool.submit([] { return 3; }).get() == 3);
}

TEST_CASE("retry: with copies kept and several maps at a time") {
  fmap::thread_pool pool{3};
  const fails a{1, 500}, b{2, 500};
  fmap::future_map first{pool,
                         [&a](int x) { return a(x); },
                         std::views::iota(0, 500),
                         {.retry = soon(3), .keep_items = true}};
  fmap::future_map second{
      pool, [&b](int x) { return b(x); }, std::views::iota(0, 500), {.retry = soon(3)}};
  long sum = 0;
  auto all = first.outcomes();
  auto it = all.begin();
  for (const int x : second) {
    sum += x;
    if (it == all.end()) continue;
    CHECK(it->item<int>() == it->value());
    ++it;
  }
  for (; it != all.end(); ++it) CHECK(it->tries() == 2);
  CHECK(sum == 499 * 250);
}
