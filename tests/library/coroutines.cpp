// SPDX-License-Identifier: BSD-3-Clause
// Coroutines and pools: who goes on where, what is refused, and maps over coroutines.
#include <algorithm>
#include <atomic>
#include <coroutine>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmap/coroutine.hpp>
#include <fmap/fmap.hpp>

#include "support/catch.hpp"

namespace {

using token = std::shared_ptr<int>;

int twice(int x) { return 2 * x; }

std::thread::id here() { return std::this_thread::get_id(); }

fmap::future<std::thread::id> move_to(fmap::thread_pool& pool, token) {
  co_await fmap::resume_on(pool);
  co_return here();
}

fmap::future<bool> wait_in(fmap::thread_pool& pool, fmap::future<int> f, std::thread::id worker) {
  const int v = co_await fmap::resume_on(pool, f);
  co_return v == 1 && here() == worker;
}

fmap::future<int> four_times(fmap::thread_pool& pool, int x) {
  const int y = co_await pool.submit(twice, x);
  co_return co_await pool.submit(twice, y);
}

/// Counts how many are alive.
struct counted_in {
  explicit counted_in(std::atomic<int>& n) : count{n} { ++count; }
  ~counted_in() { --count; }
  counted_in(const counted_in&) = delete;
  counted_in& operator=(const counted_in&) = delete;
  std::atomic<int>& count;
};

}  // namespace

TEST_CASE("coroutines: resume_on(pool) goes on in a worker") {
  fmap::thread_pool pool{1};
  const auto worker = pool.submit(here).get();
  const token t = std::make_shared<int>(1);
  CHECK(move_to(pool, t).get() == worker);
  CHECK(t.use_count() == 1);
  CHECK(worker != here());
}

TEST_CASE("coroutines: resume_on(pool, future) goes on in a worker, whoever completes it") {
  fmap::thread_pool pool{1};
  const auto worker = pool.submit(here).get();
  fmap::promise<int> p;
  const auto f = wait_in(pool, p.get_future(), worker);
  CHECK_FALSE(f.done());
  p.set_value(1);
  CHECK(f.get());
  CHECK(wait_in(pool, p.get_future(), worker).get());
}

TEST_CASE("coroutines: a pool that takes no work is refused where the coroutine is") {
  fmap::thread_pool pool{1};
  pool.shutdown();
  const token t = std::make_shared<int>(1);
  const auto f = move_to(pool, t);
  REQUIRE(f.done());
  CHECK_THROWS_AS(f.get(), fmap::pool_shutdown);
  fmap::promise<int> p;
  const auto g = wait_in(pool, p.get_future(), {});
  p.set_value(1);
  REQUIRE(g.done());
  CHECK_THROWS_AS(g.get(), fmap::pool_shutdown);
  CHECK(t.use_count() == 1);

  fmap::thread_pool broken{{.workers = 1, .initializer = [] { throw std::runtime_error{"x"}; }}};
  CHECK_THROWS_AS(move_to(broken, t).get(), fmap::broken_pool);
  CHECK(t.use_count() == 1);
}

TEST_CASE("coroutines: one that a shutdown finds waiting for a worker is told so") {
  fmap::thread_pool pool{1};
  fmap::promise<void> open;
  std::atomic<bool> begun{false};
  const auto busy = pool.submit([&, f = open.get_future()] {
    begun = true;
    begun.notify_all();
    while (!f.done()) std::this_thread::yield();
  });
  begun.wait(false);
  const token t = std::make_shared<int>(1);
  const auto f = move_to(pool, t);
  CHECK_FALSE(f.done());
  pool.shutdown({.wait = false, .cancel_futures = true});
  REQUIRE(f.done());
  CHECK_THROWS_AS(f.get(), fmap::cancelled_error);
  CHECK(t.use_count() == 1);
  open.set_value();
}

TEST_CASE("coroutines: a worker may wait for one that needs its own pool") {
  fmap::thread_pool pool{1};
  CHECK(pool.submit([&] { return four_times(pool, 3).get(); }).get(std::chrono::seconds{60}) == 12);
  CHECK(pool.submit([&] { return move_to(pool, nullptr).get(std::chrono::seconds{60}) != here(); })
            .get());
}

TEST_CASE("coroutines: a pool may be destroyed by one that it resumed") {
  const auto own_pool = []() -> fmap::future<int> {
    fmap::thread_pool pool{1};
    co_await fmap::resume_on(pool);
    co_return 1;
  };
  for (int i = 0; i != 200; ++i) CHECK(own_pool().get() == 1);
}

TEST_CASE("coroutines: a map has no more of them under way than it may") {
  fmap::thread_pool pool{2};
  std::atomic<int> now{0}, peak{0};
  const auto call = [&](int x) -> fmap::future<int> {
    const counted_in in{now};
    for (int seen = peak, n = now; n > seen && !peak.compare_exchange_weak(seen, n);) {}
    const int y = co_await pool.submit(twice, x);
    if (x % 100 == 7) throw std::runtime_error{"seven"};
    co_return co_await pool.submit(twice, y);
  };
  constexpr int many = 5'000;
  long sum = 0;
  int failed = 0;
  fmap::future_map results{call, std::views::iota(0, many), 64};
  for (auto& o : results.outcomes())
    if (o)
      sum += o.value();
    else
      ++failed;
  CHECK(failed == many / 100);
  long expected = 0;
  for (int i = 0; i != many; ++i) expected += i % 100 == 7 ? 0 : 4 * i;
  CHECK(sum == expected);
  CHECK(peak <= 64);
  CHECK(now == 0);
}

TEST_CASE("coroutines: a map keeps each item until its future is done") {
  fmap::thread_pool pool{2};
  const auto size = [&](const std::string& text) -> fmap::future<std::size_t> {
    co_await fmap::resume_on(pool);
    co_await pool.submit(twice, 1);
    co_return text.size();
  };
  const auto texts = std::views::iota(0, 1'000) | std::views::transform([](int i) {
                       return std::string(static_cast<std::size_t>(40 + i % 10), 'x');
                     });
  std::size_t sum = 0;
  for (const std::size_t n : fmap::future_map{size, texts, 16}) sum += n;
  CHECK(sum == 1'000 * 40 + 100 * 45);
}

TEST_CASE("coroutines: a map that is left does not take the items from those under way") {
  std::vector<fmap::promise<int>> gates(64);
  const token t = std::make_shared<int>(7);
  std::atomic<int> begun{0}, finished{0}, wrong{0};
  const auto wait = [&](const std::pair<std::size_t, token>& item) -> fmap::future<int> {
    ++begun;
    const int v = co_await gates[item.first].get_future();
    if (*item.second != 7) ++wrong;
    ++finished;
    co_return v;
  };
  gates[0].set_value(0);
  {
    auto items =
        std::views::iota(std::size_t{0}, gates.size()) | std::views::transform([&](std::size_t i) {
          return std::pair{i, t};
        });
    fmap::future_map results{wait, items, 8};
    for ([[maybe_unused]] int v : results) {
      while (begun != 9) std::this_thread::yield();  // this one, and as many as may be in flight
      break;
    }
  }
  const int before = finished;
  const long held = t.use_count();
  CHECK(before == 1);
  CHECK(held == 9);
  for (std::size_t i = 1; i != gates.size(); ++i) gates[i].set_value(1);
  CHECK(finished - before == held - 1);  // those that had begun run to their end
  CHECK(wrong == 0);
  CHECK(t.use_count() == 1);
}
