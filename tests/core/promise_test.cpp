// SPDX-License-Identifier: BSD-3-Clause
// promise: who may set what, and when.
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmap/promise.hpp>

#include "support/catch.hpp"
#include "support/futures.hpp"

namespace {

/// Throws when it is copied.
struct stubborn {
  stubborn() = default;
  stubborn(const stubborn&) { throw std::runtime_error{"will not be copied"}; }
  stubborn(stubborn&&) = default;
};

}  // namespace

TEST_CASE("promise: setting a value twice throws and keeps the first") {
  auto s = test::pending();
  CHECK(s.promise.set_value(1));
  CHECK_THROWS_AS(s.promise.set_value(2), fmap::invalid_state);
  CHECK_THROWS_WITH(s.promise.set_value(2), "fmap: the promise already has a result");
  CHECK(s.future.get() == 1);
}

TEST_CASE("promise: setting an error twice throws and keeps the first") {
  auto s = test::pending();
  const auto first = std::make_exception_ptr(std::runtime_error{"first"});
  CHECK(s.promise.set_exception(first));
  CHECK_THROWS_AS(s.promise.set_exception(std::runtime_error{"second"}), fmap::invalid_state);
  CHECK_THROWS_AS(s.promise.set_value(1), fmap::invalid_state);
  CHECK(s.future.exception() == first);
}

TEST_CASE("promise: after a cancel the setters return false without effect") {
  auto s = test::cancelled();
  CHECK_FALSE(s.promise.set_running());
  CHECK_FALSE(s.promise.set_value(1));
  CHECK_FALSE(s.promise.set_value(1));
  CHECK_FALSE(s.promise.set_exception(std::runtime_error{"late"}));
  CHECK(s.future.cancelled());
}

TEST_CASE("promise: set_running can be called once, and not after the result") {
  auto s = test::pending();
  CHECK(s.promise.set_running());
  CHECK_THROWS_AS(s.promise.set_running(), fmap::invalid_state);
  CHECK(s.promise.set_value(1));
  CHECK_THROWS_AS(s.promise.set_running(), fmap::invalid_state);
  CHECK(s.future.get() == 1);
}

TEST_CASE("promise: a null error is refused") {
  auto s = test::pending();
  CHECK_THROWS_AS(s.promise.set_exception(std::exception_ptr{}), std::invalid_argument);
  CHECK_FALSE(s.future.done());
}

TEST_CASE("promise: a value that cannot be constructed changes nothing") {
  fmap::promise<stubborn> p;
  const auto f = p.get_future();
  const stubborn value;
  CHECK_THROWS_WITH(p.set_value(value), "will not be copied");
  CHECK_FALSE(f.done());
  CHECK_FALSE(f.running());
  CHECK(p.set_running());
  CHECK_THROWS_WITH(p.set_value(value), "will not be copied");
  CHECK(f.running());
  CHECK(p.set_value(stubborn{}));
  f.get();
}

TEST_CASE("promise: destroyed without a result, its futures get broken_promise") {
  fmap::future<int> f;
  {
    fmap::promise<int> p;
    f = p.get_future();
  }
  CHECK(f.done());
  CHECK_THROWS_AS(f.get(), fmap::broken_promise);
}

TEST_CASE("promise: destroyed without a result, callbacks are called though no future is left") {
  bool called = false;
  {
    fmap::promise<int> p;
    p.get_future().add_done_callback(
        [&](fmap::future<int> f) { called = f.exception() != nullptr; });
  }
  CHECK(called);
}

TEST_CASE("promise: destroyed after a cancel, the future stays cancelled") {
  fmap::future<int> f;
  {
    fmap::promise<int> p;
    f = p.get_future();
    CHECK(f.cancel());
  }
  CHECK(f.cancelled());
}

TEST_CASE("promise: assigning to it breaks the old one; moving does not") {
  fmap::promise<int> p;
  const auto first = p.get_future();
  fmap::promise<int> q;
  const auto second = q.get_future();
  p = std::move(q);
  CHECK_THROWS_AS(first.get(), fmap::broken_promise);
  auto& same = p;
  p = std::move(same);
  CHECK(p.set_value(3));
  CHECK(second.get() == 3);
}

TEST_CASE("promise: moved from, it throws invalid_state") {
  fmap::promise<std::string> p;
  const fmap::promise<std::string> q = std::move(p);
  CHECK_THROWS_AS(p.get_future(), fmap::invalid_state);
  CHECK_THROWS_AS(p.set_value("x"), fmap::invalid_state);
  CHECK_THROWS_AS(p.set_running(), fmap::invalid_state);
  CHECK_THROWS_WITH(
      p.set_exception(std::runtime_error{""}),
      "fmap: this promise has no shared state: it was default-constructed or moved from");
}

TEST_CASE("promise: may be destroyed by a callback of its own result") {
  std::optional<fmap::promise<int>> p{std::in_place};
  p->get_future().add_done_callback([&](const auto&) { p.reset(); });
  CHECK(p->set_value(1));
  CHECK_FALSE(p.has_value());
}
