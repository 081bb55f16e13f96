// SPDX-License-Identifier: BSD-3-Clause
// User code that takes what it is given by value and throws: nothing is released twice, whatever the compiler makes of it.
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <fmap/detail/task.hpp>
#include <fmap/future.hpp>

#include "support/catch.hpp"
#include "support/futures.hpp"

namespace {

using token = std::shared_ptr<int>;

class no_errors {  // what callbacks throw is expected here
public:
  no_errors() : before_{std::cerr.rdbuf(text_.rdbuf())} {}
  ~no_errors() { std::cerr.rdbuf(before_); }

private:
  std::ostringstream text_;
  std::streambuf* before_;
};

struct thrower {
  token held;
  template <class... Args>
  void operator()(Args...) {
    throw std::runtime_error{"by value"};
  }
};

}  // namespace

TEST_CASE("by value: callbacks that throw, of a future that is done later") {
  const no_errors quiet;
  const auto t = std::make_shared<int>(1);
  fmap::promise<token> p;
  auto f = p.get_future();
  int calls = 0;
  for (int i = 0; i != 3; ++i)
    f.add_done_callback([&](fmap::future<token>) {
      ++calls;
      throw std::runtime_error{"x"};
    });
  f.add_done_callback([&](fmap::future<token>) { ++calls; });
  p.set_value(t);
  CHECK(calls == 4);
  CHECK(t.use_count() == 2);
  CHECK(f.get() == t);
  p = {};
  CHECK(t.use_count() == 2);
  f = {};
  CHECK(t.use_count() == 1);
}

TEST_CASE("by value: callbacks that throw, of a future that is done") {
  const no_errors quiet;
  const auto t = std::make_shared<int>(1);
  fmap::promise<token> p;
  p.set_value(t);
  auto f = p.get_future();
  for (int i = 0; i != 5; ++i)
    f.add_done_callback([](fmap::future<token>) { throw std::runtime_error{"x"}; });
  CHECK(t.use_count() == 2);
  CHECK(f.get() == t);
}

TEST_CASE("by value: callbacks that throw, of futures that fail or are cancelled") {
  const no_errors quiet;
  for (const bool cancels : {false, true}) {
    auto s = test::pending();
    int calls = 0;
    for (int i = 0; i != 3; ++i)
      s.future.add_done_callback([&](fmap::future<int>) {
        ++calls;
        throw 1;
      });
    if (cancels)
      s.future.cancel();
    else
      s.promise.set_exception(std::runtime_error{"y"});
    CHECK(calls == 3);
    CHECK(s.future.done());
    CHECK(s.future.cancelled() == cancels);
  }
}

TEST_CASE("by value: a callback may destroy the handle to which it was added, and throw") {
  const no_errors quiet;
  const auto t = std::make_shared<int>(1);
  fmap::promise<token> p;
  p.set_value(t);
  auto f = std::make_unique<fmap::future<token>>(p.get_future());
  p = {};
  f->add_done_callback([&](fmap::future<token>) {
    f.reset();
    throw std::runtime_error{"x"};
  });
  CHECK(t.use_count() == 1);
}

TEST_CASE("by value: a task that throws") {
  const auto t = std::make_shared<int>(1);
  using task = fmap::detail::bound_task<void, thrower, token, std::unique_ptr<token>>;
  const auto state = fmap::detail::make_state<task>(fmap::detail::pool_key{}, thrower{t}, token{t},
                                                    std::make_unique<token>(t));
  CHECK(t.use_count() == 4);
  state->run();
  CHECK(t.use_count() == 1);
  CHECK_THROWS_WITH(std::rethrow_exception(state->error()), "by value");
}

TEST_CASE("by value: a result whose constructor takes its argument by value and throws") {
  struct refusing {
    explicit refusing(token) { throw std::runtime_error{"by value"}; }
  };
  const auto t = std::make_shared<int>(1);
  fmap::promise<refusing> p;
  CHECK_THROWS_WITH(p.set_value(token{t}), "by value");
  CHECK(t.use_count() == 1);
  token mine = t;
  CHECK_THROWS_WITH(p.set_value(std::move(mine)), "by value");
  mine = nullptr;
  CHECK(t.use_count() == 1);
  CHECK_FALSE(p.get_future().done());
}
