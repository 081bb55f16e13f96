// SPDX-License-Identifier: BSD-3-Clause
// Coroutines that await futures and return them: values, errors, who goes on where, and what is freed.
#include <coroutine>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmap/coroutine.hpp>

#include "support/catch.hpp"
#include "support/futures.hpp"

namespace {

using token = std::shared_ptr<int>;

fmap::future<int> add_one(const fmap::future<int> f) { co_return co_await f + 1; }

fmap::future<void> note(fmap::future<int> f, int& to) { to = co_await f; }

fmap::future<int> five() { co_return 5; }

/// Waits, and holds something meanwhile.
fmap::future<int> holding(token held, fmap::future<int> f) {
  const token local = held;
  co_return co_await f + *local;
}

template <class T>
fmap::future<T> give(fmap::future<T> f) {
  co_return co_await std::move(f);
}

/// A copy that is counted.
struct copied {
  int* copies;
  explicit copied(int& count) : copies{&count} {}
  copied(const copied& other) : copies{other.copies} { ++*copies; }
  copied(copied&&) = default;
};

fmap::future<void> take_in(fmap::future<copied> f) {
  [[maybe_unused]] copied c = co_await std::move(f);
}

/// Suspends, and lets somebody else have the coroutine.
struct handed_over {
  std::coroutine_handle<>& to;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) const noexcept { to = coroutine; }
  void await_resume() const noexcept {}
};

fmap::future<int> wait_outside(token held, std::coroutine_handle<>& to) {
  co_await handed_over{to};
  co_return *held;
}

/// A coroutine whose owner destroys it.
class owned {
public:
  struct promise_type {
    owned get_return_object() { return owned{handle::from_promise(*this)}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_always final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
  owned(owned&& other) noexcept : handle_{std::exchange(other.handle_, nullptr)} {}
  owned& operator=(owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~owned() { reset(); }
  void reset() {
    if (handle_) std::exchange(handle_, nullptr).destroy();
  }

private:
  using handle = std::coroutine_handle<promise_type>;
  explicit owned(handle h) : handle_{h} {}
  handle handle_;
};

owned count_up(fmap::future<int> f, int& to, const token) {
  co_await f;
  ++to;
}

owned destroy_other(fmap::future<int> f, owned*& other) {
  co_await f;
  other->reset();
}

}  // namespace

TEST_CASE("coroutine: awaits a future that is done, or is not") {
  const auto done = test::succeeded(41);
  CHECK(add_one(done.future).get() == 42);
  auto later = test::pending();
  const auto f = add_one(later.future);
  CHECK_FALSE(f.done());
  CHECK(f.running());
  CHECK_FALSE(f.cancel());
  later.promise.set_value(1);
  REQUIRE(f.done());
  CHECK(f.get() == 2);
}

TEST_CASE("coroutine: errors and cancellation are thrown by the co_await") {
  CHECK_THROWS_AS(add_one(test::failed().future).get(), std::invalid_argument);
  CHECK_THROWS_AS(add_one(test::cancelled().future).get(), fmap::cancelled_error);
  auto later = test::pending();
  const auto f = add_one(later.future);
  SECTION("an error") {
    later.promise.set_exception(std::invalid_argument{"x"});
    CHECK_THROWS_AS(f.get(), std::invalid_argument);
  }
  SECTION("cancelled") {
    later.future.cancel();
    CHECK_FALSE(f.cancelled());
    CHECK_THROWS_AS(f.get(), fmap::cancelled_error);
  }
  SECTION("a promise that is given up") {
    later.promise = {};
    CHECK_THROWS_AS(f.get(), fmap::broken_promise);
  }
}

TEST_CASE("coroutine: a future without a result is refused, and so is a value that was taken") {
  CHECK_THROWS_AS(add_one(fmap::future<int>{}).get(), fmap::invalid_state);
  CHECK_THROWS_AS(give(fmap::future<int>{}).get(), fmap::invalid_state);
  const auto taken = test::succeeded();
  taken.future.take();
  CHECK_THROWS_AS(add_one(taken.future).get(), fmap::invalid_state);
  CHECK_THROWS_AS(give(taken.future).get(), fmap::invalid_state);
}

TEST_CASE(
    "coroutine: the value is a constant reference, or the future's own if that is given away") {
  using lvalue = decltype(operator co_await(std::declval<fmap::future<token>&>()).await_resume());
  using rvalue = decltype(operator co_await(std::declval<fmap::future<token>>()).await_resume());
  using nothing = decltype(operator co_await(std::declval<fmap::future<void>>()).await_resume());
  STATIC_REQUIRE(std::is_same_v<lvalue, const token&>);
  STATIC_REQUIRE(std::is_same_v<rvalue, token>);
  STATIC_REQUIRE(std::is_void_v<nothing>);
}

TEST_CASE("coroutine: values that cannot be copied are taken") {
  fmap::promise<std::unique_ptr<int>> p;
  const auto f = give(p.get_future());
  p.set_value(std::make_unique<int>(7));
  CHECK(*f.take() == 7);
  CHECK_THROWS_AS(p.get_future().get(), fmap::invalid_state);
}

TEST_CASE("coroutine: a value that nobody else has a handle to is moved, any other is copied") {
  int copies = 0;
  auto p = std::make_unique<fmap::promise<copied>>();
  SECTION("done, and nobody else") {
    auto f = p->get_future();
    p->set_value(copied{copies});
    p.reset();
    take_in(std::move(f)).get();
    CHECK(copies == 0);
  }
  SECTION("of a coroutine that finishes later") {
    const auto f =
        take_in(give(p->get_future()));  // the coroutine in the middle copies: the promise is there
    p->set_value(copied{copies});
    f.get();
    CHECK(copies == 1);
  }
  SECTION("somebody else has one") {
    const auto f = p->get_future();
    const auto g = take_in(p->get_future());
    p->set_value(copied{copies});
    g.get();
    CHECK(copies == 1);
    CHECK(f.get().copies == &copies);
  }
}

TEST_CASE("coroutine: goes on in the thread that sets the value") {
  auto later = test::pending();
  std::thread::id seen;
  const auto look = [](fmap::future<int> f, std::thread::id& id) -> fmap::future<void> {
    co_await f;
    id = std::this_thread::get_id();
  };
  const auto f = look(later.future, seen);
  std::thread other{[&] { later.promise.set_value(1); }};
  const auto expected = other.get_id();
  other.join();
  REQUIRE(f.done());
  CHECK(seen == expected);
}

TEST_CASE(
    "coroutine: several await one future, in the order in which they came, next to callbacks") {
  auto later = test::pending();
  std::vector<int> order;
  const auto come = [](fmap::future<int> f, std::vector<int>& to, int n) -> fmap::future<void> {
    co_await f;
    to.push_back(n);
  };
  std::vector<fmap::future<void>> all;
  all.push_back(come(later.future, order, 1));
  later.future.add_done_callback([&](const auto&) { order.push_back(2); });
  all.push_back(come(later.future, order, 3));
  later.promise.set_value(0);
  CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("coroutine: one without a result, and one that never waits") {
  int to = 0;
  const auto f = note(test::succeeded(3).future, to);
  f.get();
  CHECK(to == 3);
  CHECK(five().get() == 5);
}

TEST_CASE("coroutine: what it throws is its future's error") {
  const auto fail = [](token) -> fmap::future<int> {
    throw std::invalid_argument{"x"};
    co_return 1;
  };
  const auto t = std::make_shared<int>(1);
  const auto f = fail(t);
  CHECK_THROWS_AS(f.get(), std::invalid_argument);
  CHECK(t.use_count() == 1);
}

TEST_CASE("coroutine: a local object whose destructor throws after the value was returned") {
  struct thrower {
    ~thrower() noexcept(false) { throw std::invalid_argument{"x"}; }
  };
  const auto t = std::make_shared<int>(1);
  const auto fail = [](token held) -> fmap::future<token> {
    const thrower late;
    co_return held;
  };
  const auto f = fail(t);
  CHECK_THROWS_AS(f.get(), std::invalid_argument);
  CHECK(t.use_count() == 1);
}

TEST_CASE("coroutine: its frame is gone before its future is done") {
  auto later = test::pending();
  const auto t = std::make_shared<int>(1);
  const auto f = holding(t, later.future);
  CHECK(t.use_count() == 3);
  long seen = 0;
  f.add_done_callback([&](const auto&) { seen = t.use_count(); });
  later.promise.set_value(1);
  CHECK(seen == 1);
  CHECK(f.get() == 2);
}

TEST_CASE("coroutine: one whose future nobody keeps runs to its end") {
  auto later = test::pending();
  const auto t = std::make_shared<int>(1);
  holding(t, later.future);
  CHECK(t.use_count() == 3);
  later.promise.set_value(1);
  CHECK(t.use_count() == 1);
}

TEST_CASE("coroutine: one that is destroyed before it has finished breaks its promise") {
  const auto t = std::make_shared<int>(1);
  std::coroutine_handle<> handle;
  const auto f = wait_outside(t, handle);
  CHECK_FALSE(f.done());
  SECTION("destroyed") {
    handle.destroy();
    CHECK_THROWS_AS(f.get(), fmap::broken_promise);
  }
  SECTION("resumed") {
    handle.resume();
    CHECK(f.get() == 1);
  }
  CHECK(t.use_count() == 1);
}

TEST_CASE("coroutine: one that is destroyed while it waits leaves nothing behind in the future") {
  auto later = test::pending();
  const auto t = std::make_shared<int>(1);
  int calls = 0;
  owned a = count_up(later.future, calls, t);
  owned b = count_up(later.future, calls, t);
  owned c = count_up(later.future, calls, t);
  b.reset();
  CHECK(t.use_count() == 3);
  later.promise.set_value(1);
  CHECK(calls == 2);
}

TEST_CASE("coroutine: one that waits may be destroyed by another that awaited the same future") {
  auto later = test::pending();
  int calls = 0;
  owned* to_destroy = nullptr;
  owned a = destroy_other(later.future, to_destroy);
  owned b = count_up(later.future, calls, nullptr);
  owned c = count_up(later.future, calls, nullptr);
  to_destroy = &b;
  later.promise.set_value(1);
  CHECK(calls == 1);
}

TEST_CASE("coroutine: one whose wake-up was put off may be destroyed") {
  // Callbacks lie 64 deep; of the future that is completed there the coroutines are called when that has returned.
  std::vector<test::sample> chain(65);
  auto last = test::pending();
  int calls = 0;
  owned a = count_up(last.future, calls, nullptr);
  owned b = count_up(last.future, calls, nullptr);
  owned c = count_up(last.future, calls, nullptr);
  for (std::size_t i = 0; i + 1 != chain.size(); ++i)
    chain[i].future.add_done_callback(
        [&chain, i](const auto&) { chain[i + 1].promise.set_value(0); });
  bool put_off = false;
  SECTION("before it") {
    chain[63].future.add_done_callback([&](const auto&) {
      last.promise.set_value(1);
      put_off = calls == 0;
      a.reset();
      c.reset();
    });
    chain[0].promise.set_value(0);
    CHECK(calls == 1);
  }
  SECTION("all") {
    chain[63].future.add_done_callback([&](const auto&) {
      last.promise.set_value(1);
      put_off = calls == 0;
      c.reset();
      b.reset();
      a.reset();
    });
    chain[0].promise.set_value(0);
    CHECK(calls == 0);
  }
  CHECK(put_off);
}

namespace {

fmap::future<int> follow(fmap::future<int> before) { co_return co_await before + 1; }

fmap::future<int> loop(fmap::future<int> f, int n) {
  int sum = 0;
  for (int i = 0; i != n; ++i) sum += co_await f;
  co_return sum;
}

}  // namespace

TEST_CASE("coroutine: chains of any length need little of the stack") {
  constexpr int many = 200'000;
  auto first = test::pending();
  fmap::future<int> last = first.future;
  for (int i = 0; i != many; ++i) last = follow(std::move(last));
  CHECK_FALSE(last.done());
  first.promise.set_value(0);
  CHECK(last.get() == many);
  CHECK(loop(test::succeeded(1).future, many).get() == many);
}

TEST_CASE("coroutine: resume_on(executor, future) goes on where the executor says") {
  std::vector<std::coroutine_handle<>> queue;
  const auto executor = [&](std::coroutine_handle<> h) { queue.push_back(h); };
  const auto wait = [](auto& to, fmap::future<int> f) -> fmap::future<int> {
    const int a = co_await fmap::resume_on(to, f);
    co_return a + co_await fmap::resume_on(to, std::move(f));
  };
  auto later = test::pending();
  const auto f = wait(executor, later.future);
  CHECK(queue.empty());
  later.promise.set_value(21);
  REQUIRE(queue.size() == 1);
  CHECK_FALSE(f.done());
  queue[0].resume();
  REQUIRE(queue.size() == 2);  // also of a future that is done
  CHECK_FALSE(f.done());
  queue[1].resume();
  CHECK(f.get() == 42);
}

TEST_CASE("coroutine: what the executor throws is thrown by the co_await") {
  const token t = std::make_shared<int>(1);
  const auto executor = [t](std::coroutine_handle<>) { throw std::invalid_argument{"full"}; };
  const auto wait = [](auto to, fmap::future<int> f) -> fmap::future<int> {
    try {
      co_return co_await fmap::resume_on(std::move(to), f);
    } catch (const std::invalid_argument&) {}
    co_return -1;
  };
  CHECK(wait(executor, test::succeeded().future).get() == -1);
  auto later = test::pending();
  const auto f = wait(executor, later.future);
  CHECK_FALSE(f.done());
  later.promise.set_value(1);
  CHECK(f.get() == -1);
  CHECK(t.use_count() == 2);
}
