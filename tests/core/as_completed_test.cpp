// SPDX-License-Identifier: BSD-3-Clause
// as_completed: order, duplicates, timeouts, and what it keeps alive.
#include <atomic>
#include <chrono>
#include <concepts>
#include <ranges>
#include <string>
#include <vector>

#include <fmap/wait.hpp>

#include "support/catch.hpp"
#include "support/futures.hpp"
#include "support/race.hpp"

using namespace std::chrono_literals;
using futures = std::vector<fmap::future<int>>;
using test::cancelled;
using test::failed;
using test::pending;
using test::succeeded;

static_assert(std::ranges::input_range<fmap::completed_futures<int>>);
static_assert(std::movable<fmap::completed_futures<int>>);

namespace {

/// Iterates to the end or a timeout, whose message goes to `message`.
template <class Range>
futures collect(Range&& range, std::string* message = nullptr) {
  futures result;
  try {
    for (auto& f : range) result.push_back(f);
  } catch (const fmap::timeout_error& e) {
    if (message == nullptr) throw;
    *message = e.what();
  }
  return result;
}

}  // namespace

TEST_CASE("as_completed: of nothing is empty") {
  CHECK(collect(fmap::as_completed(futures{})).empty());
  CHECK(collect(fmap::as_completed(futures{}, 0s)).empty());
}

TEST_CASE("as_completed: those already done come first, in the order given") {
  auto a = pending(), b = cancelled(), c = failed(), d = pending(), e = succeeded();
  auto range = fmap::as_completed({a.future, b.future, c.future, d.future, e.future});
  d.promise.set_value(1);
  a.promise.set_value(1);
  CHECK(collect(range) == futures{b.future, c.future, e.future, d.future, a.future});
}

TEST_CASE("as_completed: a waiting iteration is woken by each completion") {
  auto a = pending(), b = pending(), c = pending();
  futures got;
  std::atomic<std::size_t> seen{0};
  test::waiting_thread consumer{[&] {
    for (auto& f : fmap::as_completed({a.future, b.future, c.future}, 1h)) {
      got.push_back(f);
      ++seen;
      seen.notify_one();
    }
  }};
  consumer.await();
  c.promise.set_value(1);
  seen.wait(0);
  a.future.cancel();
  seen.wait(1);
  b.promise.set_exception(std::runtime_error{"b"});
  consumer.join();
  CHECK(got == futures{c.future, a.future, b.future});
}

TEST_CASE("as_completed: duplicates come once") {
  const auto a = succeeded();
  auto b = pending();
  auto range = fmap::as_completed({b.future, a.future, a.future, b.future});
  b.promise.set_value(1);
  CHECK(collect(range) == futures{a.future, b.future});
}

TEST_CASE("as_completed: after the timeout it throws and says how many are unfinished") {
  for (const std::chrono::milliseconds timeout : {0ms, 20ms}) {
    const auto a = cancelled(), b = pending(), c = test::running(), d = succeeded();
    std::string message;
    const auto start = std::chrono::steady_clock::now();
    auto range = fmap::as_completed({a.future, b.future, c.future, d.future}, timeout);
    CHECK(collect(range, &message) == futures{a.future, d.future});
    CHECK(message == "fmap: 2 of 4 futures were not done within the timeout");
    CHECK(std::chrono::steady_clock::now() - start >= timeout);
    CHECK(range.begin() == range.end());
  }
}

TEST_CASE("as_completed: what is ready is handed out after the deadline too") {
  auto a = succeeded(), b = pending();
  auto range = fmap::as_completed({a.future, b.future}, 1us);
  CHECK_FALSE(pending().future.wait(1ms));
  b.promise.set_value(1);
  CHECK(collect(range).size() == 2);
}

TEST_CASE("as_completed: a negative timeout and a default-constructed future are refused") {
  const auto a = succeeded();
  CHECK_THROWS_AS(fmap::as_completed({a.future}, -1s), std::invalid_argument);
  CHECK_THROWS_AS(fmap::as_completed({a.future, fmap::future<int>{}}), fmap::invalid_state);
}

TEST_CASE("as_completed: a future that was handed out is forgotten with the next step") {
  std::vector<fmap::promise<int>> promises(4);
  futures open;
  for (auto& p : promises) open.push_back(p.get_future());
  promises[0].set_value(0);
  std::size_t next = 1;
  const fmap::detail::future_state_base* before = nullptr;
  auto range = fmap::as_completed(open);
  open.clear();
  for (auto& f : range) {
    const auto state = fmap::detail::future_access::state(f).get();
    CHECK(state != before);
    before = state;
    CHECK(f.get() == static_cast<int>(next) - 1);
    const auto mine = std::move(f);  // the range has no use for it any more
    CHECK(mine.valid());
    promises[next - 1] = {};
    if (next < promises.size()) promises[next].set_value(static_cast<int>(next));
    ++next;
  }
  CHECK(next == 5);
}

TEST_CASE("as_completed: leaving early leaves nothing behind") {
  auto a = succeeded(), b = pending();
  for (auto& f : fmap::as_completed({a.future, b.future})) {
    CHECK(f == a.future);
    break;
  }
  { const auto never_begun = fmap::as_completed({a.future, b.future}); }
  b.promise.set_value(1);
  CHECK(b.future.get() == 1);
}

TEST_CASE("as_completed: works with views, and begin() continues") {
  const auto a = succeeded(1), b = succeeded(2), c = succeeded(3);
  auto range = fmap::as_completed({a.future, b.future, c.future});
  auto it = range.begin();
  ++it;
  CHECK((*range.begin()).get() == 2);
  CHECK(it->get() == 2);
  int sum = 0;
  for (const int v : fmap::as_completed({a.future, b.future, c.future}, 1h)
                         | std::views::transform([](auto& f) { return f.get(); })
                         | std::views::take(2))
    sum += v;
  CHECK(sum == 3);
}

TEST_CASE("as_completed: can be moved and assigned while futures are open") {
  auto a = pending(), b = pending();
  auto range = fmap::as_completed({a.future, b.future});
  auto moved = std::move(range);
  range = fmap::as_completed({b.future});
  a.promise.set_value(1);
  b.promise.set_value(2);
  CHECK(collect(moved) == futures{a.future, b.future});
  CHECK(collect(range) == futures{b.future});
}
