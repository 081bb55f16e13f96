// SPDX-License-Identifier: BSD-3-Clause
// Callbacks that bring about callbacks: chains of any length, and what is called when.
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <fmap/wait.hpp>

#include "support/catch.hpp"
#include "support/futures.hpp"

namespace {

constexpr int many = 200'000;

using shared_promise = std::shared_ptr<fmap::promise<int>>;

/// Promises of which each one's callback gets the next one.
template <class Then>
std::vector<shared_promise> chain(int length, Then then) {
  std::vector<shared_promise> all;
  for (int i = 0; i <= length; ++i) all.push_back(std::make_shared<fmap::promise<int>>());
  for (std::size_t i = 0; i + 1 != all.size(); ++i)
    all[i]->get_future().add_done_callback(
        [then, next = all[i + 1]](const fmap::future<int>& f) { then(f, *next); });
  return all;
}

/// A result that holds the handle to another one.
struct node {
  fmap::future<node> next;
};

}  // namespace

TEST_CASE("a chain of callbacks that set the next value may be of any length") {
  const auto all = chain(many, [](const auto& f, auto& next) { next.set_value(f.get() + 1); });
  all[0]->set_value(0);
  CHECK(all.back()->get_future().get() == many);
}

TEST_CASE("a chain of callbacks that cancel the next future may be of any length") {
  const auto all = chain(many, [](const auto&, auto& next) { next.get_future().cancel(); });
  all[0]->get_future().cancel();
  CHECK(all.back()->get_future().cancelled());
}

TEST_CASE("a chain of promises that are destroyed without a value may be of any length") {
  auto all = chain(many, [](const auto&, auto&) {});
  const auto last = all.back()->get_future();
  const shared_promise first = std::move(all.front());
  all.clear();  // from now on each one is held by the callback before it
  CHECK_FALSE(last.done());
  *first = {};
  CHECK_THROWS_AS(last.get(), fmap::broken_promise);
}

TEST_CASE("callbacks that add callbacks to futures that are done may do so without end") {
  const auto done = test::succeeded();
  int calls = 0;
  std::function<void()> step = [&] {
    done.future.add_done_callback([&](fmap::future<int>) {
      if (++calls != many) step();
    });
  };
  step();
  CHECK(calls == many);
}

TEST_CASE("results that hold the last handle to the next one may be a list of any length") {
  fmap::future<node> first;
  for (int i = 0; i != many; ++i) {
    fmap::promise<node> p;
    p.set_value(node{std::exchange(first, p.get_future())});
  }
  first = {};
  CHECK_FALSE(first.valid());
}

TEST_CASE("what a callback brings about has been called when its set_value returns, in order") {
  auto one = test::pending(), two = test::pending(), three = test::pending();
  std::vector<int> order;
  three.future.add_done_callback([&](const auto&) { order.push_back(3); });
  two.future.add_done_callback([&](const auto&) {
    order.push_back(20);
    three.promise.set_value(1);
    order.push_back(21);
  });
  one.future.add_done_callback([&](const auto&) {
    order.push_back(10);
    two.promise.set_value(1);
    order.push_back(11);
  });
  one.future.add_done_callback([&](const auto&) { order.push_back(12); });
  one.promise.set_value(1);
  CHECK(order == std::vector{10, 20, 3, 21, 11, 12});
}

TEST_CASE("deep in a chain, what a callback brings about is called when it returns, in order") {
  std::vector<int> order;
  auto last = test::pending(), other = test::pending();
  for (int i = 0; i != 3; ++i) {
    last.future.add_done_callback([&, i](const auto&) { order.push_back(i); });
    other.future.add_done_callback([&, i](const auto&) { order.push_back(10 + i); });
  }
  const auto all = chain(1000, [](const auto&, auto& next) { next.set_value(1); });
  const auto end = all.back()->get_future();
  end.add_done_callback([&](const auto&) {
    last.promise.set_value(1);
    other.promise.set_value(1);
    order.push_back(-1);
  });
  end.add_done_callback([&](const auto&) { order.push_back(99); });
  all[0]->set_value(1);
  CHECK(order == std::vector{-1, 0, 1, 2, 10, 11, 12, 99});
}

TEST_CASE("deep in a chain, a callback that waits gets what it has brought about itself") {
  auto cause = test::pending(), effect = test::pending();
  cause.future.add_done_callback([&](const auto&) { effect.promise.set_value(5); });
  int by_get = 0;
  std::size_t by_wait = 0, by_iteration = 0;
  const auto all = chain(1000, [](const auto&, auto& next) { next.set_value(1); });
  all.back()->get_future().add_done_callback([&](const auto&) {
    cause.promise.set_value(1);
    by_get = effect.future.get();
    by_wait = fmap::wait({effect.future}).done.size();
    for (auto& f : fmap::as_completed({effect.future})) by_iteration += f.valid() ? 1 : 0;
  });
  all[0]->set_value(1);
  CHECK(by_get == 5);
  CHECK(by_wait == 1);
  CHECK(by_iteration == 1);
}

TEST_CASE("deep in a chain, a callback may drop the last handles to what it has completed") {
  const auto token = std::make_shared<int>(0);
  const auto all = chain(1000, [](const auto&, auto& next) { next.set_value(1); });
  all.back()->get_future().add_done_callback([&](const auto&) {
    for (int i = 0; i != 10; ++i) {
      auto s = test::pending();
      s.future.add_done_callback([token](const fmap::future<int>& f) { *token += f.get(); });
      s.promise.set_value(1);
    }
  });
  all[0]->set_value(1);
  CHECK(*token == 10);
  CHECK(token.use_count() == 1);
}
