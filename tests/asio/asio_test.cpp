// SPDX-License-Identifier: BSD-3-Clause
// Futures and pools in programs that use Asio: with Boost's and with the standalone one.
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <fmap/asio.hpp>
#include <fmap/fmap.hpp>

#if defined(FMAP_STANDALONE_ASIO)
#  include <asio/bind_executor.hpp>
#  include <asio/dispatch.hpp>
#  include <asio/io_context.hpp>
#  include <asio/steady_timer.hpp>
#  include <asio/strand.hpp>
#  if defined(FMAP_ASIO_CANCELS)
#    include <asio/bind_cancellation_slot.hpp>
#    include <asio/cancellation_signal.hpp>
#  endif
#else
#  include <boost/asio/bind_executor.hpp>
#  include <boost/asio/dispatch.hpp>
#  include <boost/asio/io_context.hpp>
#  include <boost/asio/steady_timer.hpp>
#  include <boost/asio/strand.hpp>
#  if defined(FMAP_ASIO_CANCELS)
#    include <boost/asio/bind_cancellation_slot.hpp>
#    include <boost/asio/cancellation_signal.hpp>
#  endif
#endif

#include "support/catch.hpp"

#if !defined(FMAP_STANDALONE_ASIO)
namespace asio = boost::asio;
#endif

namespace {

using token = std::shared_ptr<int>;

int twice(int x) { return 2 * x; }

/// A handler that says what it was called with, where; and holds something.
template <class T>
struct report {
  std::optional<T>& value;
  std::exception_ptr& error;
  std::thread::id& where;
  token held{};

  void operator()(const std::exception_ptr& e, T v) const {
    where = std::this_thread::get_id();
    error = e;
    value = std::move(v);
  }
};

}  // namespace

TEST_CASE("async_get: the handler is called on its executor, with the value or the error") {
  fmap::thread_pool pool{1};
  asio::io_context io;
  std::optional<int> value;
  std::exception_ptr error;
  std::thread::id where;
  const report<int> handler{value, error, where};
  SECTION("a value") {
    fmap::async_get(pool.submit(twice, 21), asio::bind_executor(io, handler));
    io.run();  // there is work until the handler has been called
    CHECK(value == 42);
    CHECK_FALSE(error);
  }
  SECTION("a value that was there") {
    const auto f = pool.submit(twice, 21);
    f.wait();
    fmap::async_get(f, asio::bind_executor(io, handler));
    CHECK_FALSE(value);
    io.run();
    CHECK(value == 42);
  }
  SECTION("an error") {
    const auto fail = []() -> int { throw std::invalid_argument{"x"}; };
    fmap::async_get(pool.submit(fail), asio::bind_executor(asio::make_strand(io), handler));
    io.run();
    REQUIRE(error);
    CHECK_THROWS_AS(std::rethrow_exception(error), std::invalid_argument);
  }
  SECTION("cancelled") {
    fmap::promise<int> p;
    fmap::async_get(p.get_future(), asio::bind_executor(io, handler));
    p.get_future().cancel();
    io.run();
    REQUIRE(error);
    CHECK_THROWS_AS(std::rethrow_exception(error), fmap::cancelled_error);
  }
  CHECK(where == std::this_thread::get_id());
}

TEST_CASE("async_get: futures without a value, and of values that can only be moved") {
  asio::io_context io;
  int calls = 0;
  fmap::promise<void> p;
  fmap::async_get(p.get_future(), asio::bind_executor(io, [&](const std::exception_ptr& e) {
                    if (!e) ++calls;
                  }));
  fmap::promise<std::unique_ptr<int>> q;
  fmap::async_get(q.get_future(),
                  asio::bind_executor(
                      io, [&](const std::exception_ptr&, std::unique_ptr<int> v) { calls += *v; }));
  p.set_value();
  q.set_value(std::make_unique<int>(10));
  CHECK(calls == 0);
  io.run();
  CHECK(calls == 11);
}

TEST_CASE("async_get: a future without a result is refused") {
  CHECK_THROWS_AS(fmap::async_get(fmap::future<int>{}, [](const std::exception_ptr&, int) {}),
                  fmap::invalid_state);
}

TEST_CASE("async_get: the handler goes with its context if that is destroyed first") {
  fmap::promise<int> p;
  const token t = std::make_shared<int>(1);
  std::optional<int> value;
  std::exception_ptr error;
  std::thread::id where;
  {
    asio::io_context io;
    fmap::async_get(p.get_future(), asio::bind_executor(io, report<int>{value, error, where, t}));
    fmap::promise<int> done;
    done.set_value(1);
    fmap::async_get(done.get_future(),  // posted, but never run
                    asio::bind_executor(io, report<int>{value, error, where, t}));
    CHECK(t.use_count() == 3);
    io.stop();
  }
  CHECK(t.use_count() == 1);
  p.set_value(1);
  CHECK_FALSE(value);
}

TEST_CASE("async_get: a context is destroyed while the futures complete") {
  fmap::thread_pool pool{2};
  const token t = std::make_shared<int>(1);
  std::atomic<int> called{0};
  for (int round = 0; round != 300; ++round) {
    asio::io_context io;
    for (int i = 0; i != 8; ++i)
      fmap::async_get(
          pool.submit(twice, i),
          asio::bind_executor(io, [&, t](const std::exception_ptr&, int) { ++called; }));
    if (round % 2 == 0) io.poll();
  }
  pool.shutdown();
  CHECK(t.use_count() == 1);
}

TEST_CASE("async_get: always on the handler's executor") {
  fmap::thread_pool pool{2};
  asio::io_context io;
  const auto here = std::this_thread::get_id();
  constexpr int many = 100'000;
  int called = 0, elsewhere = 0;
  struct state {
    fmap::thread_pool& pool;
    asio::io_context& io;
    std::thread::id here;
    int &called, &elsewhere;
    void next() {
      fmap::async_get(pool.submit(twice, 1),
                      asio::bind_executor(io, [this](const std::exception_ptr&, int) {
                        if (std::this_thread::get_id() != here) ++elsewhere;
                        if (++called <= many - 64) next();
                      }));
    }
  } s{pool, io, here, called, elsewhere};
  for (int i = 0; i != 64; ++i) s.next();
  io.run();
  CHECK(called == many);
  CHECK(elsewhere == 0);
}

TEST_CASE("use_future: a value, an error, several values, none") {
  asio::io_context io;
  using error_code = fmap::detail::asio_error_code;
  const auto start = [&]<class Signature>(std::type_identity<Signature>, auto... args) {
    return asio::async_initiate<const fmap::use_future_t&, Signature>(
        [&](auto handler, auto... given) {
          asio::post(io, [h = std::move(handler), given...]() mutable { std::move(h)(given...); });
        },
        fmap::use_future, args...);
  };
  const auto none = start(std::type_identity<void()>{});
  const auto one = start(std::type_identity<void(int)>{}, 1);
  const auto good = start(std::type_identity<void(error_code, int)>{}, error_code{}, 2);
  const auto two = start(std::type_identity<void(std::exception_ptr, int, std::string)>{},
                         std::exception_ptr{}, 3, std::string{"x"});
  const auto bad = start(std::type_identity<void(std::exception_ptr, int)>{},
                         std::make_exception_ptr(std::invalid_argument{"x"}), 0);
  CHECK_FALSE(none.done());
  io.run();
  none.get();
  CHECK(one.get() == 1);
  CHECK(good.get() == 2);
  CHECK(two.get() == std::tuple{3, std::string{"x"}});
  CHECK_THROWS_AS(bad.get(), std::invalid_argument);
}

TEST_CASE("use_future: operations of Asio's own, and a context that is destroyed") {
  std::optional<asio::io_context> io{std::in_place};
  asio::steady_timer now{*io, std::chrono::milliseconds{0}};
  const auto f = now.async_wait(fmap::use_future);
  io->run();
  f.get();
  fmap::future<void> cancelled, broken;
  {
    asio::steady_timer later{*io, std::chrono::hours{1}};
    cancelled = later.async_wait(fmap::use_future);
    later.cancel();
    io->restart();
    io->run();
    CHECK_THROWS_AS(cancelled.get(), fmap::detail::asio_system_error);
    broken = asio::post(*io, fmap::use_future);
  }
  now.cancel();
  now = asio::steady_timer{asio::any_io_executor{fmap::thread_pool{1}.executor()}};
  io.reset();
  CHECK_THROWS_AS(broken.get(), fmap::broken_promise);
}

TEST_CASE("pool.executor(): functions run in workers") {
  fmap::thread_pool pool{1};
  const auto worker = pool.submit([] { return std::this_thread::get_id(); }).get();
  const auto where = [&](auto start) {
    fmap::promise<std::thread::id> p;
    const auto f = p.get_future();
    start([p = std::move(p)]() mutable { p.set_value(std::this_thread::get_id()); });
    return f.get();
  };
  CHECK(where([&](auto fn) { asio::post(pool.executor(), std::move(fn)); }) == worker);
  CHECK(where([&](auto fn) { asio::dispatch(pool.executor(), std::move(fn)); }) == worker);
  CHECK(where([&](auto fn) { asio::post(asio::make_strand(pool.executor()), std::move(fn)); })
        == worker);
  const asio::any_io_executor any = pool.executor();
  CHECK(where([&](auto fn) { asio::post(any, std::move(fn)); }) == worker);
  fmap::thread_pool other{1};
  CHECK(pool.executor() == pool.executor());
  CHECK(pool.executor() != other.executor());
}

TEST_CASE("pool.executor(): a pool that is shut down takes nothing") {
  fmap::thread_pool pool{1};
  const auto executor = pool.executor();
  pool.shutdown();
  const token t = std::make_shared<int>(1);
  CHECK_THROWS_AS(asio::post(executor, [t] {}), fmap::pool_shutdown);
  CHECK(t.use_count() == 1);
}

#if defined(FMAP_ASIO_CANCELS)
TEST_CASE("async_get: a cancellation of the operation cancels the future") {
  asio::io_context io;
  fmap::promise<int> p;
  asio::cancellation_signal signal;
  std::exception_ptr error;
  fmap::async_get(p.get_future(),
                  asio::bind_cancellation_slot(
                      signal.slot(), asio::bind_executor(io, [&](const std::exception_ptr& e, int) {
                        error = e;
                      })));
  signal.emit(asio::cancellation_type::terminal);
  CHECK(p.get_future().cancelled());
  io.run();
  REQUIRE(error);
  CHECK_THROWS_AS(std::rethrow_exception(error), fmap::cancelled_error);
  CHECK_FALSE(signal.slot().has_handler());
}
#endif
