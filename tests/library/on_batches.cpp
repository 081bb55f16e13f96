// SPDX-License-Identifier: BSD-3-Clause
// Functions that take many items in one call.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmap/fmap.hpp>
#include <fmap/journal.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"
#include "support/folder.hpp"
#include "support/made_range.hpp"
#include "support/pools.hpp"

using namespace std::chrono_literals;
using namespace testing;

namespace {

/// Delivers from the middle of the batch to both of its ends.
constexpr auto twice = [](std::span<const int> items, fmap::delivery<long> deliver) {
  const std::size_t n = items.size(), middle = n / 2;
  for (std::size_t i = middle; i != n; ++i) deliver(i, 2L * items[i]);
  for (std::size_t i = middle; i-- != 0;) deliver(i, 2L * items[i]);
};

/// By the last digit: 3 is never delivered, 4 fails.
constexpr auto some_fail = [](std::span<int> items, fmap::delivery<int> deliver) {
  for (std::size_t i = 0; i != items.size(); ++i) {
    if (items[i] % 10 == 4)
      deliver.fail(i, std::make_exception_ptr(std::domain_error{"four"}));
    else if (items[i] % 10 != 3)
      deliver(i, items[i]);
  }
};

/// Sizes of the batches that a function was called with.
class sizes {
public:
  void add(std::size_t n) {
    const std::lock_guard guard{mutex_};
    all_.push_back(n);
  }
  std::vector<std::size_t> all() const {
    const std::lock_guard guard{mutex_};
    return all_;
  }
  std::size_t largest() const {
    const auto seen = all();
    return seen.empty() ? 0 : *std::max_element(seen.begin(), seen.end());
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::size_t> all_;
};

}  // namespace

TEMPLATE_TEST_CASE("on_batches: each item gets the outcome that was delivered for it", "[batches]",
                   FMAP_TESTED_POOLS) {
  TestType pool{2};
  const bool ordered = GENERATE(false, true);
  const std::size_t buffersize = GENERATE(1, 2, 7, 100, 3000);
  constexpr int count = 20'000;
  std::vector<char> seen(count);
  std::uint64_t next = 0, wrong = 0;
  fmap::future_map m{pool, fmap::on_batches(twice), std::views::iota(0, count),
                     fmap::map_options{.buffersize = buffersize, .ordered = ordered}};
  for (const auto& o : m.outcomes()) {
    if (!o || o.value() != 2 * static_cast<long>(o.index())) ++wrong;
    if (ordered && o.index() != next++) ++wrong;
    if (++seen[o.index()] != 1) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(std::count(seen.begin(), seen.end(), 1) == count);
  CHECK(m.stats().peak_in_flight <= buffersize);
}

TEMPLATE_TEST_CASE("on_batches: what is not delivered fails", "[batches]", FMAP_TESTED_POOLS) {
  TestType pool{2};
  std::map<std::string, int> errors;
  int values = 0;
  fmap::future_map m{pool, fmap::on_batches(some_fail), std::views::iota(0, 1000), 64};
  for (const auto& o : m.outcomes()) {
    if (o) {
      CHECK(o.value() == static_cast<int>(o.index()));
      ++values;
      continue;
    }
    ++errors[o.what()];
    CHECK(o.index() % 10 == (o.what() == "four" ? 4 : 3));
    if (o.index() % 10 == 3)
      CHECK_THROWS_AS(std::rethrow_exception(o.error()), fmap::not_delivered);
    else
      CHECK_THROWS_AS(std::rethrow_exception(o.error()), std::domain_error);
  }
  CHECK(values == 800);
  CHECK(errors
        == std::map<std::string, int>{
            {"four", 100},
            {"fmap: the function over batches returned without an outcome for this item", 100}});
}

TEST_CASE("on_batches: what the function throws is the error of all that it had not delivered") {
  fmap::thread_pool pool{1};
  constexpr auto fn = [](std::span<const int> items, fmap::delivery<int> deliver) {
    for (std::size_t i = 0; i != items.size(); ++i)
      if (items[i] % 2 == 0) deliver(i, items[i]);
    throw std::range_error{"the rest"};
  };
  fmap::future_map m{pool, fmap::on_batches(fn), std::views::iota(0, 100),
                     fmap::map_options{.buffersize = 10, .chunksize = 10}};
  int values = 0, thrown = 0;
  for (const auto& o : m.outcomes()) {
    CHECK(o.has_value() == (o.index() % 2 == 0));
    o ? ++values : ++thrown;
    if (!o) CHECK(o.what() == "the rest");
  }
  CHECK(values == 50);
  CHECK(thrown == 50);
}

TEST_CASE("on_batches: outcomes are ready while the call goes on, and tokens come back") {
  fmap::thread_pool pool{1};
  const bool ordered = GENERATE(false, true);
  constexpr int wanted = 8;
  std::latch taken{1};
  std::size_t delivered = 0;
  const auto fn = [&](std::span<const int> items, fmap::delivery<int> deliver) {
    for (std::size_t i = 0; i != items.size(); ++i) deliver(i, items[i]);
    // The last one of a batch is ready when the call returns. A slow input makes small batches.
    if ((delivered += items.size()) > wanted) taken.wait();
  };
  std::atomic<int> pulled{0};
  fmap::future_map m{pool, fmap::on_batches(fn),
                     made_range{[&](std::uint64_t i) {
                                  ++pulled;
                                  return static_cast<int>(i);
                                },
                                1000},
                     fmap::map_options{.buffersize = 20, .chunksize = 10, .ordered = ordered}};
  auto it = m.begin();
  int n = 0;
  for (; n != wanted; ++n) ++it;
  CHECK(m.stats().in_flight <= 20);
  CHECK(eventually([&] { return pulled > 20; }));
  taken.count_down();
  for (; it != m.end(); ++it) ++n;
  CHECK(n == 1000);
}

TEST_CASE("on_batches: an error is ready while the call goes on, too") {
  fmap::thread_pool pool{1};
  std::latch taken{1};
  std::size_t calls = 0;
  const auto fn = [&](std::span<const int> items, fmap::delivery<int> deliver) {
    deliver.fail(0, std::make_exception_ptr(std::domain_error{"early"}));
    for (std::size_t i = 1; i != items.size(); ++i) deliver(i, items[i]);
    ++calls;
    if (items.size() == 8) taken.wait();
  };
  fmap::future_map m{pool, fmap::on_batches(fn), std::views::iota(0, 8),
                     fmap::map_options{.buffersize = 8, .chunksize = 8}};
  auto outcomes = m.outcomes();
  auto it = outcomes.begin();
  bool failed = false;
  for (int i = 0; i != 7; ++i) {
    failed = failed || it->what() == "early";
    if (i == 6) taken.count_down();
    ++it;
  }
  CHECK(failed);
  CHECK(++it == outcomes.end());
  CHECK(calls == 1);
}

TEST_CASE("on_batches: a position that is none, or is delivered twice, is refused") {
  fmap::thread_pool pool{1};
  std::string beyond, twice_said, null, after_failure;
  const auto fn = [&](std::span<const int> items, fmap::delivery<int> deliver) {
    CHECK(deliver.size() == items.size());
    beyond = message_of<std::out_of_range>([&] { deliver(items.size(), 1); });
    deliver(1, items[1]);
    twice_said = message_of<std::logic_error>([&] { deliver(1, 7); });
    null = message_of<std::invalid_argument>([&] { deliver.fail(0, nullptr); });
    deliver.fail(0, std::make_exception_ptr(std::domain_error{"zero"}));
    after_failure = message_of<std::logic_error>([&] { deliver(0, 7); });
  };
  fmap::future_map m{pool, fmap::on_batches(fn), std::vector{10, 11},
                     fmap::map_options{.buffersize = 2, .chunksize = 2}};
  std::vector<std::string> said(2);
  for (const auto& o : m.outcomes()) said[o.index()] = o ? std::to_string(o.value()) : o.what();
  CHECK(said == std::vector<std::string>{"zero", "11"});
  CHECK(beyond == "fmap: deliver: there is no position 2 in a batch of 2");
  CHECK(twice_said == "fmap: deliver: the item at position 1 has an outcome already");
  CHECK(null == "fmap: deliver.fail: there is no exception");
  CHECK(after_failure == "fmap: deliver: the item at position 0 has an outcome already");
}

TEST_CASE("on_batches: half of the bound is shared by the workers, and what is there by those that "
          "are idle") {
  fmap::thread_pool pool{2};
  sizes seen;
  std::latch both{2};
  const auto fn = [&](std::span<const int> items, fmap::delivery<int> deliver) {
    seen.add(items.size());
    for (std::size_t i = 0; i != items.size(); ++i) deliver(i, items[i]);
  };
  SECTION("by the bound") {
    fmap::future_map m{pool, fmap::on_batches(fn), std::views::iota(0, 10'000), 64};
    CHECK(all_of(m).size() == 10'000);
    CHECK(seen.largest() == 16);
    CHECK(seen.all().size() < 5000);
  }
  SECTION("as chunksize says") {
    fmap::future_map m{pool, fmap::on_batches(fn), std::views::iota(0, 10'000),
                       fmap::map_options{.buffersize = 64, .chunksize = 5}};
    CHECK(all_of(m).size() == 10'000);
    CHECK(seen.largest() == 5);
  }
  SECTION("without a bound") {
    fmap::future_map m{pool, fmap::on_batches(fn), std::views::iota(0, 10'000)};
    CHECK(all_of(m).size() == 10'000);
    CHECK(seen.largest() > 100);
    CHECK(seen.largest() <= 256);
    CHECK(m.stats().buffersize == 1024);
  }
  SECTION("a few items") {
    std::atomic<int> calls{0};
    const auto meeting = [&](std::span<const int> items, fmap::delivery<int> deliver) {
      if (calls++ < 2) both.arrive_and_wait();
      fn(items, deliver);
    };
    fmap::future_map m{pool, fmap::on_batches(meeting), std::vector(20, 1), 1000};
    CHECK(all_of(m).size() == 20);
    CHECK(seen.largest() == 10);
  }
}

TEST_CASE("on_batches: results of any kind, made where they stay") {
  fmap::thread_pool pool{2};
  SECTION("nothing") {
    std::atomic<int> sum{0};
    const auto fn = [&](std::span<const int> items, fmap::delivery<void> deliver) {
      for (std::size_t i = 0; i != items.size(); ++i) {
        sum += items[i];
        deliver(i);
      }
    };
    fmap::future_map m{pool, fmap::on_batches(fn), std::views::iota(0, 100), 32};
    CHECK(all_of(m).size() == 100);
    CHECK(sum == 4950);
  }
  SECTION("items that can only be moved, and are moved out of the batch") {
    std::vector<std::unique_ptr<int>> items;
    for (int i = 0; i != 100; ++i) items.push_back(std::make_unique<int>(i));
    const auto fn = [](std::span<std::unique_ptr<int>> in,
                       fmap::delivery<std::unique_ptr<int>> deliver) {
      for (std::size_t i = 0; i != in.size(); ++i) deliver(i, std::move(in[i]));
    };
    int sum = 0;
    for (auto& p : fmap::future_map(pool, fmap::on_batches(fn), std::move(items), 32)) sum += *p;
    CHECK(sum == 4950);
  }
  SECTION("booleans, which a vector would not keep side by side") {
    const auto fn = [](std::span<const bool> in, fmap::delivery<bool> deliver) {
      for (std::size_t i = 0; i != in.size(); ++i) deliver(i, !in[i]);
    };
    int n = 0;
    for (const bool b : fmap::future_map(pool, fmap::on_batches(fn), std::vector<bool>(50), 16))
      n += b;
    CHECK(n == 50);
  }
  SECTION("items larger than what is moved to the stack, with alignment") {
    struct alignas(128) large {
      int n = 0;
      char rest[2000] = {};
    };
    const auto fn = [](std::span<const large> in, fmap::delivery<std::string> deliver) {
      for (std::size_t i = 0; i != in.size(); ++i)
        deliver(i, reinterpret_cast<std::uintptr_t>(&in[i]) % 128 == 0 ? "aligned" : "not");
    };
    std::vector<large> items(50);
    for (const auto& s : fmap::future_map(pool, fmap::on_batches(fn), items, 16))
      CHECK(s == "aligned");
  }
  SECTION("a result whose making throws is its item's error") {
    struct picky {
      picky(int x) {  // NOLINT(google-explicit-constructor)
        if (x == 7) throw std::domain_error{"seven"};
      }
    };
    const auto fn = [](std::span<const int> in, fmap::delivery<picky> deliver) {
      for (std::size_t i = 0; i != in.size(); ++i) deliver(i, in[i]);
    };
    int failed = 0;
    fmap::future_map m{pool, fmap::on_batches(fn), std::views::iota(0, 20), 8};
    for (const auto& o : m.outcomes()) {
      if (o) continue;
      CHECK(o.index() == 7);
      CHECK(o.what() == "seven");
      ++failed;
    }
    CHECK(failed == 1);
  }
}

TEST_CASE("on_batches: the result can be named where the function takes any delivery") {
  fmap::thread_pool pool{2};
  std::atomic<int> made{0};
  struct connection {
    int calls = 0;
  };
  const auto fetch = [](connection& db, std::span<const int> keys, auto deliver) {
    ++db.calls;
    for (std::size_t i = 0; i != keys.size(); ++i) deliver(i, std::to_string(keys[i]));
  };
  const auto connect = [&] { return ++made, connection{}; };
  int n = 0;
  for (const std::string& s : fmap::future_map(pool, fmap::on_batches<std::string>(connect, fetch),
                                               std::views::iota(0, 500), 64))
    n += !s.empty();
  CHECK(n == 500);
  CHECK(made >= 1);
  CHECK(made <= 2);
}

TEST_CASE("on_batches: a state that cannot be made fails the items of its batch, and the next "
          "batch tries again") {
  fmap::thread_pool pool{1};
  int tries = 0;
  const auto connect = [&] {
    if (++tries == 1) throw std::runtime_error{"refused"};
    return 7;
  };
  const auto fn = [](int& state, std::span<const int> in, fmap::delivery<int> deliver) {
    for (std::size_t i = 0; i != in.size(); ++i) deliver(i, in[i] + state);
  };
  fmap::future_map m{pool, fmap::on_batches(connect, fn), std::views::iota(0, 20),
                     fmap::map_options{.buffersize = 5, .chunksize = 5}};
  int failed = 0, values = 0;
  for (const auto& o : m.outcomes()) o ? ++values : ++failed;
  CHECK(tries == 2);
  CHECK(failed >= 1);
  CHECK(failed <= 5);
  CHECK(values + failed == 20);
}

TEST_CASE("on_batches: another thread may deliver, while the call goes on") {
  fmap::thread_pool pool{2};
  const auto fn = [](std::span<const int> in, fmap::delivery<int> deliver) {
    std::jthread{[=] {
      for (std::size_t i = 0; i != in.size(); ++i) deliver(i, in[i]);
    }};
  };
  fmap::future_map m{pool, fmap::on_batches(fn), std::views::iota(0, 2000), 128};
  CHECK(sorted(m) == numbers(0, 2000));
}

TEST_CASE("on_batches: whoever leaves waits for the call, and everything is destroyed once") {
  const bool early = GENERATE(false, true);
  const long before = counted::alive;
  {
    fmap::thread_pool pool{2};
    std::vector<counted> items;
    for (int i = 0; i != 200; ++i) items.emplace_back(i);
    std::atomic<int> inside{0};
    std::atomic<bool> leaving{false};
    const auto fn = [&](std::span<counted> in, fmap::delivery<counted> deliver) {
      ++inside;
      for (std::size_t i = 0; i < in.size(); i += 2) deliver(i, std::move(in[i]));
      if (early) leaving.wait(false);
      --inside;
    };
    std::jthread opens;
    {
      fmap::future_map m{pool, fmap::on_batches(fn), std::move(items), 32};
      for (const auto& o : m.outcomes()) {
        static_cast<void>(o);
        if (early) break;
      }
      if (early) {
        CHECK(inside != 0);
        // The map's destructor has begun by then, or begins with calls that have returned: either is right.
        opens = std::jthread{[&] {
          leaving = true;
          leaving.notify_all();
        }};
      }
    }
    CHECK(inside == 0);
  }
  CHECK(counted::alive == before);
}

TEST_CASE("on_batches: what has failed is tried again, in another batch") {
  fmap::thread_pool pool{2};
  std::mutex mutex;
  std::map<int, int> calls;
  const auto fn = [&](std::span<std::string> in, fmap::delivery<std::string> deliver) {
    for (std::size_t i = 0; i != in.size(); ++i) {
      const std::string item = std::move(in[i]);  // the map has kept one
      const int x = std::stoi(item);
      std::unique_lock lock{mutex};
      const int tries = ++calls[x];
      lock.unlock();
      if (x % 5 == 0 && tries < 3) {
        if (x % 2 == 0) deliver.fail(i, std::make_exception_ptr(fmap::transient{"not yet"}));
      } else {
        deliver(i, item);
      }
    }
  };
  std::vector<std::string> items;
  for (int i = 0; i != 300; ++i) items.push_back(std::to_string(i));
  fmap::future_map m{pool,
                     fmap::on_batches(fn),
                     items,
                     {.buffersize = 40, .retry = fmap::retry_policy{.attempts = 3, .first = 1ms}}};
  int n = 0;
  for (const auto& o : m.outcomes()) {
    REQUIRE(o);
    CHECK(o.value() == std::to_string(o.index()));
    CHECK(o.tries() == (o.index() % 5 == 0 ? 3 : 1));
    ++n;
  }
  CHECK(n == 300);
}

TEST_CASE("on_batches: a run that is left while items wait to be tried again leaks none") {
  const long before = counted::alive;
  {
    fmap::thread_pool pool{2};
    std::vector<counted> items;
    for (int i = 0; i != 100; ++i) items.emplace_back(i);
    const auto fn = [](std::span<const counted> in, fmap::delivery<int> deliver) {
      for (std::size_t i = 0; i != in.size(); ++i)
        if (in[i].value() % 2 == 0) deliver(i, in[i].value());
    };
    fmap::future_map m{pool,
                       fmap::on_batches(fn),
                       items,
                       {.buffersize = 30, .retry = fmap::retry_policy{.attempts = 9, .first = 1h}}};
    auto it = m.begin();
    CHECK(*it % 2 == 0);
    items.clear();
  }
  CHECK(counted::alive == before);
}

TEST_CASE("on_batches: items that cannot be copied cannot be tried again") {
  fmap::thread_pool pool{1};
  const auto fn = [](std::span<std::unique_ptr<int>>, fmap::delivery<int>) {};
  std::vector<std::unique_ptr<int>> items(3);
  CHECK_THROWS_WITH(
      (fmap::future_map{
          pool, fmap::on_batches(fn), std::move(items), {.retry = fmap::retry_policy{}}}),
      Catch::Contains("gets copies of items"));
}

TEMPLATE_TEST_CASE("on_batches: a journal's items are not in the next run's batches", "[batches]",
                   FMAP_TESTED_POOLS) {
  const folder there;
  constexpr auto fn = [](std::span<const int> in, fmap::delivery<int> deliver) {
    for (std::size_t i = 0; i != in.size(); ++i) deliver(i, 2 * in[i]);
  };
  TestType pool{2};
  const auto run = [&](int stop_after, bool replay) {
    fmap::journal done{there / "run", {.replay = replay}};
    fmap::future_map m{
        pool, fmap::on_batches(fn), std::views::iota(0, 500), {.buffersize = 64, .journal = &done}};
    int n = 0;
    for (const auto& o : m.outcomes()) {
      CHECK(o.value() == 2 * static_cast<int>(o.index()));
      if (++n == stop_after) break;
    }
    return n;
  };
  CHECK(run(200, false) == 200);
  CHECK(run(-1, false) == 301);  // the one that was held when the run was left comes again
  CHECK(run(-1, true) == 500);
}

TEST_CASE(
    "on_batches: a pool that is shut down finishes its batches, and its calls deliver to the end") {
  std::latch begun{1}, go_on{1};
  const auto fn = [&](std::span<const int> in, fmap::delivery<int> deliver) {
    if (!begun.try_wait()) begun.count_down();
    go_on.wait();
    for (std::size_t i = 0; i != in.size(); ++i) deliver(i, in[i]);
  };
  fmap::thread_pool pool{1};
  fmap::future_map m{pool, fmap::on_batches(fn), std::views::iota(0, 10),
                     fmap::map_options{.buffersize = 10, .chunksize = 10}};
  std::jthread closer{[&] {
    begun.wait();
    pool.shutdown({.wait = false});
    go_on.count_down();
  }};
  CHECK(all_of(m).size() == 10);
}
