// SPDX-License-Identifier: BSD-3-Clause
// Tasks that wait for tasks and maps of their own thread pool: no program without a cycle hangs.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A pool that is given up, with its threads, if a test finds that it hangs.
class patient_pool {
public:
  explicit patient_pool(int workers) : pool_{std::make_unique<fmap::thread_pool>(workers)} {}

  fmap::thread_pool& operator*() const { return *pool_; }
  fmap::thread_pool* operator->() const { return pool_.get(); }

  /// Fails if the future is not done within a minute; then what its task refers to must not be local.
  template <class T>
  T result(const fmap::future<T>& f) {
    if (!f.wait(60s)) {
      static_cast<void>(pool_.release());
      FAIL("it hangs");
    }
    return f.get();
  }

private:
  std::unique_ptr<fmap::thread_pool> pool_;
};

/// The result, or -1 for would_deadlock; never anything else.
int value_or_refusal(const fmap::future<int>& f) {
  try {
    return f.get();
  } catch (const fmap::would_deadlock&) {
    return -1;
  }
}

struct fib {
  fmap::thread_pool* pool;
  int operator()(int n) const {
    if (n < 2) return n;
    const auto a = pool->submit(fib{pool}, n - 1), b = pool->submit(fib{pool}, n - 2);
    return a.get() + b.get();
  }
};

struct fib_by_wait {
  fmap::thread_pool* pool;
  int operator()(int n) const {
    if (n < 2) return n;
    std::vector<fmap::future<int>> both{pool->submit(*this, n - 1), pool->submit(*this, n - 2)};
    const auto [done, not_done] = fmap::wait(both);
    return not_done.empty() ? done[0].get() + done[1].get() : -1'000'000;
  }
};

struct fib_by_as_completed {
  fmap::thread_pool* pool;
  int operator()(int n) const {
    if (n < 2) return n;
    int sum = 0;
    for (const auto& f :
         fmap::as_completed(std::vector{pool->submit(*this, n - 1), pool->submit(*this, n - 2)}))
      sum += f.get();
    return sum;
  }
};

/// A tree of maps.
struct tree {
  fmap::thread_pool* pool;
  int operator()(int depth) const {
    if (depth == 0) return 1;
    int sum = 0;
    for (int v : pool->map(*this, std::vector(3, depth - 1))) sum += v;
    return sum;
  }
};

/// Waits for a task that waits for a task ...
struct chain {
  fmap::thread_pool* pool;
  int operator()(int n) const {
    if (n == 0) return 0;
    const auto next = pool->submit(*this, n - 1);
    return next.get() + 1;
  }
};

}  // namespace

TEST_CASE("a task of a full pool gets the result of a task that it submits") {
  for (int workers : {1, 2, 3}) {
    patient_pool pool{workers};
    const auto outer = [p = &*pool](int i) {
      const auto inner = p->submit([i] { return 2 * i; });
      return inner.get() + 1;
    };
    std::vector<fmap::future<int>> all;
    for (int i = 0; i < 100; ++i) all.push_back(pool->submit(outer, i));
    for (int i = 0; i < 100; ++i) CHECK(pool.result(all[static_cast<std::size_t>(i)]) == 2 * i + 1);
  }
}

TEST_CASE("recursive tasks never hang: get()") {
  for (int workers : {1, 2}) {
    patient_pool pool{workers};
    CHECK(pool.result(pool->submit(fib{&*pool}, 18)) == 2584);
  }
}

TEST_CASE("recursive tasks never hang: wait()") {
  for (int workers : {1, 2}) {
    patient_pool pool{workers};
    CHECK(pool.result(pool->submit(fib_by_wait{&*pool}, 14)) == 377);
  }
}

TEST_CASE("recursive tasks never hang: as_completed()") {
  for (int workers : {1, 2}) {
    patient_pool pool{workers};
    CHECK(pool.result(pool->submit(fib_by_as_completed{&*pool}, 14)) == 377);
  }
}

TEST_CASE("recursive tasks never hang: maps in maps in maps") {
  for (int workers : {1, 2}) {
    patient_pool pool{workers};
    CHECK(pool.result(pool->submit(tree{&*pool}, 5)) == 243);
  }
}

TEST_CASE("a map over its own pool's tasks may be left inside a task") {
  patient_pool pool{1};
  const auto first_over_100 = [p = &*pool] {
    for (int v : p->map([](int x) { return 2 * x; }, std::views::iota(0)))
      if (v > 100) return v;
    return 0;
  };
  CHECK(pool.result(pool->submit(first_over_100)) == 102);
}

TEST_CASE("a map whose function submits to the pool may be read inside a task") {
  patient_pool pool{1};
  const auto sum = [p = &*pool] {
    int total = 0;
    const auto twice = [p](int i) { return p->submit([i] { return 2 * i; }); };
    for (int v : fmap::future_map(twice, std::views::iota(0, 500), 8)) total += v;
    return total;
  };
  CHECK(pool.result(pool->submit(sum)) == 249'500);
}

TEST_CASE("a chain of tasks, each waiting for the one before it, runs to its end") {
  patient_pool pool{2};
  auto first = std::make_shared<gate>();
  fmap::future<int> last = pool->submit([first] {
    first->pass();
    return 1;
  });
  REQUIRE(eventually([&] { return first->waiting() == 1; }));
  for (int i = 0; i < 10; ++i) last = pool->submit([last] { return last.get() + 1; });
  // All that can begin begin while the first one still runs.
  std::this_thread::sleep_for(20ms);
  first->open();
  CHECK(pool.result(last) == 11);
}

TEST_CASE("a chain of tasks behind a promise runs to its end on one worker") {
  patient_pool pool{1};
  auto promise = std::make_shared<fmap::promise<int>>();
  const auto second = pool->submit([f = promise->get_future()] { return f.get() + 1; });
  REQUIRE(eventually([&] { return second.running(); }));
  const auto third = pool->submit([second] { return second.get() + 1; });
  std::this_thread::sleep_for(20ms);  // enough for a waiting worker to take it
  promise->set_value(1);
  CHECK(pool.result(third) == 3);
}

TEST_CASE("two tasks that wait, and two that wait for them, do not block each other's workers") {
  patient_pool pool{2};
  auto p = std::make_shared<fmap::promise<int>>(), q = std::make_shared<fmap::promise<int>>();
  const auto a = pool->submit([f = p->get_future()] { return f.get() + 1; });
  const auto b = pool->submit([f = q->get_future()] { return f.get() + 2; });
  const auto on_b = pool->submit([b] { return b.get() + 10; });
  const auto on_a = pool->submit([a] { return a.get() + 20; });
  std::this_thread::sleep_for(20ms);
  p->set_value(100);
  q->set_value(200);
  CHECK(pool.result(on_a) == 121);
  CHECK(pool.result(on_b) == 212);
}

TEST_CASE("random programs of tasks that wait for earlier tasks run to their end") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    patient_pool pool{1 + static_cast<int>(seed % 3)};
    std::minstd_rand random{seed};
    const auto start = std::make_shared<fmap::promise<int>>();
    std::vector<fmap::future<int>> all{start->get_future()};
    std::vector<int> expected{1};
    for (int i = 0; i < 100; ++i) {
      std::vector<fmap::future<int>> on;
      int sum = 1;
      for (auto n = 1 + random() % 3; n > 0; --n) {
        const std::size_t which = random() % all.size();
        on.push_back(all[which]);
        sum = (sum + expected[which]) % 1000;
      }
      all.push_back(pool->submit([on] {
        int total = 1;
        for (const auto& f : on) total = (total + f.get()) % 1000;
        return total;
      }));
      expected.push_back(sum);
      if (i == 50 && seed % 2 == 0) start->set_value(1);
    }
    if (seed % 2 == 1) {
      std::this_thread::sleep_for(2ms);  // let everything that can wait wait
      start->set_value(1);
    }
    for (std::size_t i = 0; i < all.size(); ++i) REQUIRE(pool.result(all[i]) == expected[i]);
  }
}

TEST_CASE("a task may wait for a promise that a later task sets, on one worker") {
  patient_pool pool{1};
  auto promise = std::make_shared<fmap::promise<int>>();
  const auto waits = pool->submit([f = promise->get_future()] { return f.get(); });
  pool->submit([promise] { promise->set_value(5); });
  CHECK(pool.result(waits) == 5);
}

TEST_CASE("a task that waits for itself gets would_deadlock") {
  for (int workers : {1, 2}) {
    patient_pool pool{workers};
    auto self = std::make_shared<fmap::promise<fmap::future<int>>>();
    const auto f = pool->submit([me = self->get_future()] {
      const fmap::future<int> mine = me.get();
      return mine.get();
    });
    self->set_value(f);
    CHECK_THROWS_AS(pool.result(f), fmap::would_deadlock);
  }
}

TEST_CASE("a very long chain of tasks in tasks ends, with a result or with would_deadlock") {
  for (int depth : {100, 1000, 100'000}) {
    patient_pool pool{1};
    const auto f = pool->submit(chain{&*pool}, depth);
    REQUIRE(f.wait(60s));
    const int result = value_or_refusal(f);
    CHECK((result == depth || result == -1));
    if (depth <= 100) CHECK(result == depth);
  }
}

TEST_CASE("a timeout inside a task on a full pool ends the wait, and the pool goes on") {
  patient_pool pool{1};
  const auto f = pool->submit([] {
    fmap::promise<int> never;
    try {
      never.get_future().get(5ms);
    } catch (const fmap::timeout_error&) {
      return never.get_future().wait(0ms) ? 1 : 2;
    }
    return 3;
  });
  CHECK(pool.result(f) == 2);
  CHECK(pool.result(pool->submit([] { return 7; })) == 7);
}

TEST_CASE("a task that waits for another pool does not stop its own") {
  patient_pool one{1}, two{1};
  auto hold = std::make_shared<gate>();
  const auto inner = two->submit([hold] {
    hold->pass();
    return 1;
  });
  const auto outer = one->submit([inner] { return inner.get() + 1; });
  REQUIRE(eventually([&] { return outer.running(); }));
  CHECK(one.result(one->submit([] { return 3; })) == 3);
  hold->open();
  CHECK(one.result(outer) == 2);
}

TEST_CASE("two pools whose tasks wait for each other's never hang") {
  patient_pool one{1}, two{1};
  const auto there_and_back = [a = &*one, b = &*two](int i) {
    const auto there = b->submit([a, i] {
      const auto back = a->submit([i] { return 2 * i; });
      return back.get() + 1;
    });
    return there.get() + 1;
  };
  std::vector<fmap::future<int>> all;
  for (int i = 0; i < 100; ++i) all.push_back(one->submit(there_and_back, i));
  for (int i = 0; i < 100; ++i) CHECK(one.result(all[static_cast<std::size_t>(i)]) == 2 * i + 2);
}

TEST_CASE("a task leaves a map with a running item although as many tasks wait as may") {
  fmap::thread_pool pool{3};
  fmap::promise<int> never_soon;
  const auto later = never_soon.get_future();
  std::vector<fmap::future<int>> waiting;
  gate slow;
  std::atomic<int> begun{0};
  const auto refused = [&] {
    try {
      return later.wait(1ms);
    } catch (const fmap::would_deadlock&) {
      return true;
    }
  };
  const auto left = pool.submit([&] {
    const auto fn = [&](int x) {
      if (x == 1) slow.pass();
      return x;
    };
    std::jthread opener;
    for ([[maybe_unused]] int v :
         fmap::future_map(pool, fn, std::views::iota(0, 2),
                          fmap::map_options{.buffersize = 2, .chunksize = 1})) {
      constexpr int many = 1100;
      for (int i = 0; i != many; ++i)
        waiting.push_back(pool.submit([&, later] { return ++begun, later.get(); }));
      const bool full =
          eventually([&] { return slow.waiting() == 1 && begun == many && refused(); });
      opener = std::jthread{[&] {
        std::this_thread::sleep_for(50ms);  // by then the map is being left
        slow.open();
      }};
      return full;
    }
    return false;
  });
  REQUIRE(left.wait(60s));
  CHECK(left.get());
  never_soon.set_value(1);
  for (const auto& f : waiting) CHECK(value_or_refusal(f) != 0);
}

TEST_CASE("a task may end a pool of its own whose tasks wait for the outer one") {
  patient_pool outer{1};
  const auto f = outer->submit([p = &*outer] {
    fmap::future<int> inner;
    {
      fmap::thread_pool own{1};
      inner = own.submit([p] { return p->submit([] { return 7; }).get(); });
    }
    return inner.get();
  });
  CHECK(outer.result(f) == 7);
}
