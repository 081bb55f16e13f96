// SPDX-License-Identifier: BSD-3-Clause
// Asio's coroutines: they await fmap's futures, and maps run a bounded number of them.
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fmap/asio.hpp>
#include <fmap/fmap.hpp>

#include "support/catch.hpp"

#if defined(FMAP_STANDALONE_ASIO) && __has_include(<coroutine>)
#  include <asio/detail/config.hpp>
#  if defined(ASIO_HAS_CO_AWAIT)
#    include <asio/awaitable.hpp>
#    include <asio/co_spawn.hpp>
#    include <asio/io_context.hpp>
#    include <asio/steady_timer.hpp>
#    include <asio/use_awaitable.hpp>
#    define FMAP_TEST_AWAITABLE 1
#  endif
#elif !defined(FMAP_STANDALONE_ASIO)
#  include <boost/asio/detail/config.hpp>
#  if defined(BOOST_ASIO_HAS_CO_AWAIT)
#    include <boost/asio/awaitable.hpp>
#    include <boost/asio/co_spawn.hpp>
#    include <boost/asio/io_context.hpp>
#    include <boost/asio/steady_timer.hpp>
#    include <boost/asio/use_awaitable.hpp>
#    define FMAP_TEST_AWAITABLE 1
#  endif
#endif

#if defined(FMAP_TEST_AWAITABLE)

#  if !defined(FMAP_STANDALONE_ASIO)
namespace asio = boost::asio;
#  endif

namespace {

using token = std::shared_ptr<int>;

int twice(int x) { return 2 * x; }

/// An io_context with a thread that runs it.
class running {
public:
  ~running() {
    work_.reset();
    thread_.join();
  }
  asio::io_context io;
  std::thread::id id() const { return thread_.get_id(); }

private:
  asio::executor_work_guard<asio::io_context::executor_type> work_{io.get_executor()};
  std::thread thread_{[this] { io.run(); }};
};

asio::awaitable<int> there_and_back(fmap::thread_pool& pool, std::thread::id here, int times) {
  int elsewhere = 0;
  for (int i = 0; i != times; ++i) {
    auto f = pool.submit(twice, i);
    const int v = co_await fmap::async_get(std::move(f), asio::use_awaitable);
    if (v != 2 * i || std::this_thread::get_id() != here) ++elsewhere;
  }
  co_return elsewhere;
}

asio::awaitable<int> fail(fmap::thread_pool& pool) {
  auto f = pool.submit([]() -> int { throw std::invalid_argument{"x"}; });
  co_return co_await fmap::async_get(std::move(f), asio::use_awaitable);
}

asio::awaitable<void> wait_for_ever(fmap::future<int> f, token) {
  co_await fmap::async_get(std::move(f), asio::use_awaitable);
}

struct counts {
  std::atomic<int> now{0}, peak{0};
};

asio::awaitable<int> sleep(counts& c, int x) {
  const int n = ++c.now;
  for (int seen = c.peak; n > seen && !c.peak.compare_exchange_weak(seen, n);) {}
  asio::steady_timer timer{co_await asio::this_coro::executor, std::chrono::milliseconds{1}};
  co_await timer.async_wait(asio::use_awaitable);
  --c.now;
  co_return x;
}

asio::awaitable<std::thread::id> where() { co_return std::this_thread::get_id(); }

}  // namespace

TEST_CASE("awaitable: comes back to its own executor, each time") {
  fmap::thread_pool pool{2};
  running r;
  CHECK(asio::co_spawn(r.io, there_and_back(pool, r.id(), 2'000), fmap::use_future).get() == 0);
}

TEST_CASE("awaitable: errors arrive, in both directions") {
  fmap::thread_pool pool{1};
  running r;
  CHECK_THROWS_AS(asio::co_spawn(r.io, fail(pool), fmap::use_future).get(), std::invalid_argument);
}

TEST_CASE("awaitable: one that waits for a future is freed with its context") {
  fmap::promise<int> p;
  const token t = std::make_shared<int>(1);
  fmap::future<void> f;
  {
    asio::io_context io;
    f = asio::co_spawn(io, wait_for_ever(p.get_future(), t), fmap::use_future);
    io.poll();
    CHECK(t.use_count() == 2);
  }
  CHECK(t.use_count() == 1);
  CHECK_THROWS_AS(f.get(), fmap::broken_promise);
}

TEST_CASE("awaitable: a map has no more of them under way than it may") {
  running r;
  counts c;
  const auto call = [&](int x) { return asio::co_spawn(r.io, sleep(c, x), fmap::use_future); };
  long sum = 0;
  for (const int x : fmap::future_map{call, std::views::iota(0, 500), 50}) sum += x;
  CHECK(sum == 499 * 500 / 2);
  CHECK(c.peak <= 50);
  CHECK(c.now == 0);
}

TEST_CASE("awaitable: may run on a pool") {
  fmap::thread_pool pool{1};
  const auto worker = pool.submit([] { return std::this_thread::get_id(); }).get();
  CHECK(asio::co_spawn(pool.executor(), where(), fmap::use_future).get() == worker);
}

#endif
