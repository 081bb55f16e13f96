// SPDX-License-Identifier: BSD-3-Clause
// The shared state as executors use it, and what a future costs in memory.
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <fmap/future.hpp>

#if __has_include(<malloc.h>)
#  include <malloc.h>
#endif

#include "support/catch.hpp"
#include "support/watched_memory.hpp"

using fmap::detail::future_access;
using fmap::detail::future_state;
using fmap::detail::make_state;

namespace {

/// A task as an executor would make it: the function lies next to the result.
template <class Fn, class R = std::invoke_result_t<Fn&>>
struct task final : future_state<R> {
  explicit task(Fn fn) : fn{std::move(fn)} {}
  void run() {
    if (!this->try_start()) return;
    try {
      this->emplace(fn());
    } catch (...) {
      this->fail(std::current_exception());
    }
  }
  Fn fn;
};

}  // namespace

static_assert(sizeof(void*) != 8 || sizeof(future_state<int>) == 32);
static_assert(sizeof(void*) != 8 || sizeof(future_state<void>) == 32);
static_assert(sizeof(void*) != 8 || sizeof(future_state<double[4]>) == 24 + 32);
static_assert(sizeof(fmap::future<int>) == sizeof(void*));
static_assert(sizeof(fmap::promise<int>) == sizeof(void*));

TEST_CASE("future_state: a task runs and its future gets the result") {
  const auto t = make_state<task<int (*)()>>([] { return 6; });
  const fmap::future<int> f = future_access::make<int>(t);
  CHECK_FALSE(f.running());
  t->run();
  CHECK(f.get() == 6);
}

TEST_CASE("future_state: a task that throws, while a callback waits") {
  const auto t = make_state<task<int (*)()>>([]() -> int { throw std::runtime_error{"task"}; });
  const fmap::future<int> f = future_access::make<int>(t);
  bool called = false;
  f.add_done_callback([&](auto done) { called = done.exception() != nullptr; });
  t->run();
  CHECK(called);
  CHECK_THROWS_WITH(f.get(), "task");
}

TEST_CASE("future_state: a cancelled task does not start, a started one is not cancelled") {
  int runs = 0;
  auto fn = [&runs] { return ++runs; };
  const auto t = make_state<task<decltype(fn)>>(fn);
  CHECK(future_access::make<int>(t).cancel());
  t->run();
  CHECK(runs == 0);
  const auto u = make_state<task<decltype(fn)>>(fn);
  CHECK(u->try_start());
  CHECK_FALSE(u->try_start());
  CHECK_FALSE(u->cancel());
  u->emplace(1);
}

TEST_CASE("future_state: is destroyed with its last handle, and the value with it") {
  const auto value = std::make_shared<int>(1);
  auto fn = [copy = std::shared_ptr<int>{value}] { return copy; };
  auto t = make_state<task<decltype(fn)>>(std::move(fn));
  t->run();
  fmap::future<std::shared_ptr<int>> f = future_access::make<std::shared_ptr<int>>(t);
  t = {};
  CHECK(value.use_count() == 3);  // here, in the function, in the result
  f = {};
  CHECK(value.use_count() == 1);
}

#if defined(__GLIBC__) && !FMAP_MEMORY_IS_WATCHED
#  if __GLIBC_PREREQ(2, 33)

TEST_CASE("future_state: a million outstanding futures cost less than 100 bytes each") {
  constexpr std::size_t count = 1'000'000;
  const auto in_use = [] { return ::mallinfo2().uordblks + ::mallinfo2().hblkhd; };
  const auto before = in_use();
  {
    std::vector<fmap::promise<int>> promises(count);
    std::vector<fmap::future<int>> futures;
    futures.reserve(count);
    for (const auto& p : promises) futures.push_back(p.get_future());
    CHECK((in_use() - before) / count < 100);
    for (auto& p : promises) p.set_value(1);
    CHECK((in_use() - before) / count < 100);
  }
  CHECK(in_use() < before + 100'000);
}

#  endif
#endif
