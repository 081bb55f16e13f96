// SPDX-License-Identifier: BSD-3-Clause
// add_done_callback: exactly once, in the right thread, undisturbed by others.
#include <algorithm>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmap/future.hpp>

#include "support/catch.hpp"
#include "support/futures.hpp"

namespace {

/// What is written to standard error while it exists.
class captured_errors {
public:
  captured_errors() : before_{std::cerr.rdbuf(text_.rdbuf())} {}
  ~captured_errors() { std::cerr.rdbuf(before_); }
  std::string text() const { return text_.str(); }

private:
  std::ostringstream text_;
  std::streambuf* before_;
};

}  // namespace

TEST_CASE("callback: gets a future with the value") {
  auto s = test::pending();
  int got = 0;
  s.future.add_done_callback([&](fmap::future<int> f) { got = f.get(); });
  CHECK(got == 0);
  s.promise.set_value(5);
  CHECK(got == 5);
}

TEST_CASE("callback: gets a future with the error") {
  auto s = test::pending();
  std::exception_ptr got;
  s.future.add_done_callback([&](const fmap::future<int>& f) { got = f.exception(); });
  s.promise.set_exception(std::runtime_error{"test"});
  CHECK_THROWS_WITH(std::rethrow_exception(got), "test");
}

TEST_CASE("callback: is called on cancel, once") {
  auto s = test::pending();
  int calls = 0;
  s.future.add_done_callback([&](auto f) { calls += f.cancelled() ? 1 : 100; });
  CHECK(s.future.cancel());
  CHECK(s.future.cancel());
  CHECK_FALSE(s.promise.set_value(1));
  CHECK(calls == 1);
}

TEST_CASE("callback: is called at once if the future is done") {
  int value = 0;
  test::succeeded().future.add_done_callback([&](auto f) { value = f.get(); });
  CHECK(value == 42);
  bool error = false, cancelled = false;
  test::failed().future.add_done_callback([&](auto f) { error = f.exception() != nullptr; });
  CHECK(error);
  test::cancelled().future.add_done_callback([&](auto f) { cancelled = f.cancelled(); });
  CHECK(cancelled);
}

TEST_CASE("callback: set_running does not call it") {
  auto s = test::pending();
  bool called = false;
  s.future.add_done_callback([&](const auto&) { called = true; });
  s.promise.set_running();
  CHECK_FALSE(called);
  s.promise.set_value(1);
  CHECK(called);
}

TEST_CASE("callback: several are called in the order in which they were added") {
  auto s = test::pending();
  std::vector<int> order;
  for (int i = 0; i < 5; ++i)
    s.future.add_done_callback([&order, i](const auto&) { order.push_back(i); });
  s.promise.set_value(1);
  CHECK(order == std::vector{0, 1, 2, 3, 4});
}

TEST_CASE("callback: runs in the thread that sets the result") {
  auto s = test::pending();
  std::thread::id ran_in;
  s.future.add_done_callback([&](const auto&) { ran_in = std::this_thread::get_id(); });
  std::thread setter{[&] { s.promise.set_value(1); }};
  const auto id = setter.get_id();
  setter.join();
  CHECK(ran_in == id);
}

TEST_CASE("callback: what it throws is reported and disturbs nobody") {
  auto s = test::pending();
  bool called = false;
  const captured_errors errors;
  s.future.add_done_callback([](const auto&) { throw std::runtime_error{"doh!\nand more"}; });
  s.future.add_done_callback([](const auto&) { throw 1; });
  s.future.add_done_callback([&](const auto&) { called = true; });
  CHECK(s.promise.set_value(5));
  CHECK(called);
  CHECK(s.future.get() == 5);
  CHECK(errors.text()
        == "fmap: a future's done-callback threw: doh! and more\n"
           "fmap: a future's done-callback threw: an exception that is not a std::exception\n");
}

TEST_CASE("callback: an exception whose what() is null is reported by its type") {
  struct mute : std::exception {
    const char* what() const noexcept override { return nullptr; }
  };
  auto s = test::pending();
  const captured_errors errors;
  s.future.add_done_callback([](const auto&) { throw mute{}; });
  CHECK(s.promise.set_value(5));
  s.future.add_done_callback([](const auto&) { throw mute{}; });
  const std::string text = errors.text();
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(text.find("mute (its what() is null)") != std::string::npos);
}

TEST_CASE("callback: what it throws is reported also if the future was done before") {
  const auto s = test::succeeded();
  const captured_errors errors;
  s.future.add_done_callback([](const auto&) { throw std::runtime_error{"doh!"}; });
  CHECK(errors.text() == "fmap: a future's done-callback threw: doh!\n");
}

TEST_CASE("callback: may add callbacks, cancel and wait") {
  auto s = test::pending();
  int inner = 0;
  s.future.add_done_callback([&](fmap::future<int> f) {
    f.add_done_callback([&](const auto&) { ++inner; });
    if (!f.cancel() && f.wait()) ++inner;
  });
  s.promise.set_value(1);
  CHECK(inner == 2);
}

TEST_CASE(
    "callback: may be move-only; it is destroyed after its call, or uncalled with its future") {
  const auto token = std::make_shared<int>(1);
  {
    auto s = test::pending();
    s.future.add_done_callback(
        [keep = std::make_unique<std::shared_ptr<int>>(token)](const auto&) {});
    CHECK(token.use_count() == 2);
    s.promise.set_value(1);
    CHECK(token.use_count() == 1);
  }
  {
    const auto state = fmap::detail::make_state<fmap::detail::future_state<int>>();
    fmap::detail::future_access::make<int>(state).add_done_callback([token](const auto&) {});
    CHECK(token.use_count() == 2);
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("callback: threads that wait are woken before callbacks run") {
  auto s = test::pending();
  std::vector<int> order;
  struct listener final : fmap::detail::waiter {
    explicit listener(std::vector<int>& order) : waiter{kind::thread}, order{order} {}
    void notify(fmap::detail::future_state_base&) noexcept override { order.push_back(0); }
    std::vector<int>& order;
  } waits{order};
  s.future.add_done_callback([&](const auto&) { order.push_back(1); });
  CHECK(fmap::detail::future_access::state(s.future)->add(waits));
  s.promise.set_value(1);
  CHECK(order == std::vector{0, 1});
}
