// SPDX-License-Identifier: BSD-3-Clause
// Coroutines: what an await costs, and what a map over them costs next to callbacks.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <ranges>
#include <utility>
#include <vector>

#include <time.h>

#include <fmap/coroutine.hpp>
#include <fmap/fmap.hpp>

#if __has_include(<boost/asio/io_context.hpp>)
#  include <boost/asio/detail/config.hpp>
#  if defined(BOOST_ASIO_HAS_CO_AWAIT)
#    define FMAP_BENCH_ASIO 1
#    include <thread>

#    include <boost/asio/awaitable.hpp>
#    include <boost/asio/co_spawn.hpp>
#    include <boost/asio/io_context.hpp>
#    include <boost/asio/steady_timer.hpp>
#    include <boost/asio/use_awaitable.hpp>

#    include <fmap/asio.hpp>
#  endif
#endif

#include "coroutines.hpp"

namespace bench {

namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

/// Of this thread: other programs do not count.
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

int twice(int x) { return 2 * x; }

fmap::future<std::int64_t> sum_of(const fmap::future<int>& f, int times) {
  std::int64_t sum = 0;
  for (int i = 0; i != times; ++i) sum += co_await f;
  co_return sum;
}

constexpr int items = 100'000;
constexpr int at_a_time = 64;

template <class Fn>
double time_of_map(Fn fn) {
  const auto begin = clock::now();
  std::int64_t sum = 0;
  for (const int v : fmap::future_map{fn, std::views::iota(0, items), at_a_time}) sum += v;
  if (sum != std::int64_t{2} * items * (items - 1)) std::abort();
  return seconds_since(begin);
}

double time_of_coroutines(fmap::thread_pool& pool) {
  return time_of_map([&pool](int x) -> fmap::future<int> {
    auto first = pool.submit(twice, x);
    const int y = co_await std::move(first);
    auto second = pool.submit(twice, y);
    co_return co_await std::move(second);
  });
}

double time_of_callbacks(fmap::thread_pool& pool) {
  return time_of_map([&pool](int x) {
    fmap::promise<int> result;
    auto f = result.get_future();
    const auto last = [p = std::make_shared<fmap::promise<int>>(std::move(result))](
                          const fmap::future<int>& z) { p->set_value(z.get()); };
    pool.submit(twice, x).add_done_callback([&pool, last](const fmap::future<int>& y) {
      pool.submit(twice, y.get()).add_done_callback(last);
    });
    return f;
  });
}

}  // namespace

double await_of_ready() {
  constexpr int times = 10'000'000;
  fmap::promise<int> p;
  p.set_value(1);
  const auto f = p.get_future();
  double least = std::numeric_limits<double>::max();
  for (int round = 0; round != 5; ++round) {
    const double begin = processor_seconds();
    if (sum_of(f, times).get() != times) std::abort();
    least = std::min(least, (processor_seconds() - begin) * 1e9 / times);
  }
  return least;
}

double coroutines_against_callbacks() {
  fmap::thread_pool pool{2};
  std::vector<double> ratios;
  for (int round = 0; round != 7; ++round) {
    const double coroutines = time_of_coroutines(pool);
    ratios.push_back(coroutines / time_of_callbacks(pool));
  }
  std::ranges::sort(ratios);
  return ratios[ratios.size() / 2];
}

#if defined(FMAP_BENCH_ASIO)
namespace {

namespace asio = boost::asio;

asio::awaitable<int> sleep(int x) {
  asio::steady_timer timer{co_await asio::this_coro::executor, std::chrono::milliseconds{10}};
  co_await timer.async_wait(asio::use_awaitable);
  co_return x;
}

}  // namespace

double asio_sleepers() {
  asio::io_context io;
  auto work = asio::make_work_guard(io);
  std::thread runner{[&] { io.run(); }};
  const auto begin = clock::now();
  std::int64_t sum = 0;
  const auto call = [&](int x) { return asio::co_spawn(io, sleep(x), fmap::use_future); };
  for (const int x : fmap::future_map{call, std::views::iota(0, 1000), 50}) sum += x;
  const double seconds = seconds_since(begin);
  if (sum != 999 * 1000 / 2) std::abort();
  work.reset();
  runner.join();
  return seconds;
}
#else
double asio_sleepers() { return std::numeric_limits<double>::quiet_NaN(); }
#endif

}  // namespace bench
