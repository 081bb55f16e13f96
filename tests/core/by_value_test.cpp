// SPDX-License-Identifier: BSD-3-Clause
// User code that takes what it is given by value and throws: nothing is released twice, whatever the compiler makes of it.
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <fmap/detail/async_job.hpp>
#include <fmap/detail/function_job.hpp>
#include <fmap/detail/task.hpp>
#include <fmap/future.hpp>
#include <fmap/with_state.hpp>

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

struct const_thrower {
  int operator()(token) const { throw std::runtime_error{"by value"}; }
};

class open_gate final : public fmap::detail::async_gate {
public:
  bool helped() const override { return false; }
  void began(const fmap::detail::state_ptr<fmap::detail::future_state_base>&) override {}

private:
  bool enter() override { return true; }
  void leave(std::uint64_t) override {}
};

/// Two items whose function throws: both end as that error, and nothing holds any more what they held.
template <class Job>
void check_apply(Job& job, const token& t) {
  using fmap::detail::slot_state;
  const auto before = t.use_count();
  fmap::detail::chunk c{0, 2, job.layout};
  for (std::uint32_t i = 0; i != 2; ++i) {
    ::new (c.at(i)) token{t};
    c.state(i) = slot_state::item;
  }
  fmap::detail::progress at;
  at.start(0, 2);
  CHECK(job.apply(c, 0, at, 0) == 2);
  for (std::uint32_t i = 0; i != 2; ++i) {
    REQUIRE(c.state(i) == slot_state::error);
    CHECK_THROWS_WITH(std::rethrow_exception(c.error(i)), "by value");
  }
  job.clear(c, 0, 2);
  CHECK(t.use_count() == before);
}

template <class Job, class Fn>
void check_job(Fn fn, const token& t) {
  Job job{std::move(fn)};
  check_apply(job, t);
}

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

TEST_CASE("by value: a function of a map that throws, with a worker's state or without") {
  const auto t = std::make_shared<int>(1);
  const auto make = [] { return 1; };
  const auto with = [](int&, token) -> int { throw std::runtime_error{"by value"}; };
  SECTION("plain") {
    check_job<fmap::detail::function_job<token, const_thrower>>(const_thrower{}, t);
  }
  SECTION("a state") {
    const auto f = fmap::with_state(make, with);
    check_job<fmap::detail::function_job<token, std::decay_t<decltype(f)>>>(f, t);
  }
  SECTION("a state that is taken by value") {
    const auto f =
        fmap::with_state([] { return std::make_shared<int>(2); },
                         [](token, token) -> int { throw std::runtime_error{"by value"}; });
    check_job<fmap::detail::function_job<token, std::decay_t<decltype(f)>>>(f, t);
  }
}

TEST_CASE("by value: a state that cannot be made") {
  const auto t = std::make_shared<int>(1);
  const auto f = fmap::with_state([]() -> token { throw std::runtime_error{"by value"}; },
                                  [](token, token) { return 1; });
  check_job<fmap::detail::function_job<token, std::decay_t<decltype(f)>>>(f, t);
}

TEST_CASE("by value: a function that is to return a future throws") {
  const auto t = std::make_shared<int>(1);
  const auto f = [](token) -> fmap::future<int> { throw std::runtime_error{"by value"}; };
  using job = fmap::detail::calling_job<token, std::decay_t<decltype(f)>>;
  job calls{f};
  calls.gate = std::make_shared<open_gate>();
  check_apply(calls, t);
}
