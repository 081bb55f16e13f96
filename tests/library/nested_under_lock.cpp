// SPDX-License-Identifier: BSD-3-Clause
// Items and tasks that wait for a map of their own pool while they hold what other items wait for.
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/made_range.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr int outer_items = 24, inner_items = 10, inner_sum = 45;

/// What an item does, and whether it came to an end: a program that hangs is left alone with its pool.
class patient {
public:
  explicit patient(std::size_t workers) : pool_{std::make_shared<fmap::thread_pool>(workers)} {}

  fmap::thread_pool& pool() { return *pool_; }

  /// How many of the outer items returned the right sum. `outer` owns whatever it refers to.
  int right(std::function<int(fmap::thread_pool&)> outer, const fmap::map_options& options = {}) {
    auto count = std::make_shared<std::atomic<int>>(0);
    auto done = std::make_shared<fmap::promise<int>>();
    std::thread{[pool = pool_, outer = std::move(outer), options, count, done] {
      const auto item = [&](int) { return outer(*pool); };
      for (int sum : fmap::future_map(*pool, item, std::views::iota(0, outer_items), options))
        *count += sum == inner_sum;
      done->set_value(0);
    }}.detach();
    const auto over = done->get_future();
    if (!over.wait(60s)) {
      new auto(pool_);  // its threads never end
      FAIL("it hangs after " << *count << " items");
    }
    return *count;
  }

private:
  std::shared_ptr<fmap::thread_pool> pool_;
};

int same(int x) { return x; }

template <class Map>
int sum_of(Map&& map) {
  int sum = 0;
  for (int v : map) sum += v;
  return sum;
}

int map_at_hand(fmap::thread_pool& pool) {
  return sum_of(fmap::future_map(pool, same, std::views::iota(0, inner_items), 4));
}

/// A source brings the items one by one.
int map_of_a_source(fmap::thread_pool& pool) {
  return sum_of(fmap::future_map(
      pool, same,
      made_range{[](std::uint64_t i) { return static_cast<int>(i); }, std::uint64_t{inner_items}},
      4));
}

int locked(std::mutex& m, const std::function<int()>& f) {
  std::lock_guard guard{m};
  return f();
}

/// An outer item that runs `inner` under a mutex that all of them share.
auto under_a_mutex(std::function<int(fmap::thread_pool&)> inner) {
  return [m = std::make_shared<std::mutex>(), inner = std::move(inner)](fmap::thread_pool& pool) {
    return locked(*m, [&] { return inner(pool); });
  };
}

}  // namespace

TEST_CASE("a map inside an item under a mutex that the other items wait for is served") {
  for (const std::size_t workers : {1, 2, 4}) {
    CHECK(patient{workers}.right(under_a_mutex(map_at_hand), {.buffersize = 16}) == outer_items);
    CHECK(patient{workers}.right(under_a_mutex(map_of_a_source), {.buffersize = 16})
          == outer_items);
  }
}

TEST_CASE("a map inside an item under a mutex is served with each option") {
  const auto with = [](fmap::map_options options) {
    return under_a_mutex([options](fmap::thread_pool& pool) {
      return sum_of(fmap::future_map(pool, same, std::views::iota(0, inner_items), options));
    });
  };
  CHECK(patient{2}.right(with({.buffersize = 1})) == outer_items);
  CHECK(patient{2}.right(with({.buffersize = 8, .chunksize = 4})) == outer_items);
  CHECK(patient{2}.right(with({.buffersize = 4, .ordered = true})) == outer_items);
  CHECK(patient{2}.right(with({.timeout = 50s})) == outer_items);
  CHECK(patient{2}.right(with({})) == outer_items);
}

TEST_CASE("a map with a state for each worker inside an item under a mutex is served") {
  const auto inner = [](fmap::thread_pool& pool) {
    const auto fn =
        fmap::with_state([] { return 0; }, [](int& calls, int x) { return ++calls, x; });
    return sum_of(fmap::future_map(pool, fn, std::views::iota(0, inner_items), 4));
  };
  CHECK(patient{3}.right(under_a_mutex(inner)) == outer_items);
}

TEST_CASE("a map inside an item behind a once_flag, or in a function's static, is served") {
  const auto once = std::make_shared<std::once_flag>();
  const auto sum = std::make_shared<int>(0);
  CHECK(patient{4}.right([=](fmap::thread_pool& pool) {
    std::call_once(*once, [&] { *sum = map_at_hand(pool); });
    return *sum;
  }) == outer_items);
  CHECK(patient{4}.right([](fmap::thread_pool& pool) {
    static const int first = map_at_hand(pool);
    return first;
  }) == outer_items);
}

TEST_CASE("maps in maps under a mutex for each level are served") {
  const auto inner = under_a_mutex(map_at_hand);
  const auto middle = [inner](fmap::thread_pool& pool) {
    const auto item = [&](int) { return inner(pool); };
    return sum_of(fmap::future_map(pool, item, std::views::iota(0, 3), 2)) / 3;
  };
  for (const std::size_t workers : {1, 4})
    CHECK(patient{workers}.right(under_a_mutex(middle)) == outer_items);
}

TEST_CASE("a map is served when the mutex is held for several maps, one after the other, and left "
          "early") {
  CHECK(patient{3}.right(under_a_mutex([](fmap::thread_pool& pool) {
    for (int v : fmap::future_map(pool, same, std::views::iota(0), 4))
      if (v > 20) break;
    return map_at_hand(pool) + map_of_a_source(pool) - inner_sum;
  })) == outer_items);
}

TEST_CASE("tasks that wait for tasks under a mutex that others wait for run to their end") {
  CHECK(patient{2}.right(under_a_mutex([](fmap::thread_pool& pool) {
    int sum = 0;
    for (int i = 0; i != inner_items; ++i) sum += pool.submit(same, i).get();
    return sum;
  })) == outer_items);
  const auto tasks = [](fmap::thread_pool& pool) {
    std::vector<fmap::future<int>> all;
    for (int i = 0; i != inner_items; ++i) all.push_back(pool.submit(same, i));
    return all;
  };
  CHECK(patient{2}.right(under_a_mutex([tasks](fmap::thread_pool& pool) {
    int sum = 0;
    for (const auto& f : fmap::wait(tasks(pool)).done) sum += f.get();
    return sum;
  })) == outer_items);
  CHECK(patient{2}.right(under_a_mutex([tasks](fmap::thread_pool& pool) {
    int sum = 0;
    for (const auto& f : fmap::as_completed(tasks(pool))) sum += f.get();
    return sum;
  })) == outer_items);
}

TEST_CASE("a map whose function submits to the pool is served under a mutex that others wait for") {
  for (const std::size_t buffersize : {1, 4})
    CHECK(patient{2}.right(under_a_mutex([buffersize](fmap::thread_pool& pool) {
      const auto call = [&](int x) { return pool.submit(same, x); };
      return sum_of(fmap::future_map(call, std::views::iota(0, inner_items), buffersize));
    })) == outer_items);
}

TEST_CASE("tasks under a mutex that all others wait for get their maps served") {
  auto pool = std::make_shared<fmap::thread_pool>(3);
  auto m = std::make_shared<std::mutex>();
  std::vector<fmap::future<int>> tasks;
  for (int i = 0; i != outer_items; ++i)
    tasks.push_back(
        pool->submit([p = pool.get(), m] { return locked(*m, [&] { return map_at_hand(*p); }); }));
  const auto [done, not_done] = fmap::wait(tasks, fmap::all_completed, 60s);
  if (!not_done.empty()) new auto(pool);
  REQUIRE(not_done.empty());
  for (const auto& f : done) CHECK(f.get() == inner_sum);
}
