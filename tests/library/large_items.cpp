// SPDX-License-Identifier: BSD-3-Clause
// Items and results that are larger than a stack.

#include <array>
#include <memory>
#include <ranges>
#include <utility>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"

namespace {

/// Larger than the usual 8 MB of a stack.
struct frame {
  std::array<unsigned char, 9'000'000> pixels;
};

constexpr auto first_pixel = [](const frame& f) { return int{f.pixels[0]}; };

std::unique_ptr<frame> make_frame(int value) {
  auto f = std::make_unique<frame>();
  f->pixels[0] = static_cast<unsigned char>(value);
  return f;
}

/// The result is made where the caller wants it.
constexpr auto to_frame = [](int value) -> frame { return *make_frame(value); };

std::vector<frame> frames(int n) {
  std::vector<frame> all(static_cast<std::size_t>(n));
  for (int i = 0; i != n; ++i)
    all[static_cast<std::size_t>(i)].pixels[0] = static_cast<unsigned char>(i);
  return all;
}

}  // namespace

TEST_CASE("items larger than a stack") {
  fmap::thread_pool pool{2};
  const std::vector<frame> all = frames(4);
  int sum = 0;
  for (const int x : fmap::future_map(pool, first_pixel, all)) sum += x;
  for (const int x : fmap::future_map(pool, first_pixel, frames(4))) sum += x;
  CHECK(sum == 12);
}

TEST_CASE("results larger than a stack") {
  fmap::thread_pool pool{2};
  int sum = 0;
  for (const frame& f : fmap::future_map(pool, to_frame, std::views::iota(0, 4)))
    sum += first_pixel(f);
  for (const auto& o : fmap::future_map(pool, to_frame, std::views::iota(0, 4)).outcomes())
    sum += first_pixel(o.value());
  CHECK(sum == 12);
}

TEST_CASE("items larger than a stack, of several ranges and with a worker's state") {
  fmap::thread_pool pool{2};
  const std::vector<frame> all = frames(3);
  int sum = 0;
  const auto add = [](const frame& f, int x) { return first_pixel(f) + x; };
  for (const int x : pool.map(add, all, std::vector{1, 1, 1})) sum += x;
  const auto count = [](int& seen, const frame& f) { return ++seen, first_pixel(f); };
  for (const int x : fmap::future_map(pool, fmap::with_state([] { return 0; }, count), all))
    sum += x;
  CHECK(sum == 9);
}

TEST_CASE("tasks whose arguments and results are larger than a stack") {
  fmap::thread_pool pool{2};
  const auto f = make_frame(7);
  CHECK(pool.submit(first_pixel, *f).get() == 7);
  const auto result = pool.submit(to_frame, 7);
  CHECK(first_pixel(result.get()) == 7);
}

TEST_CASE("items larger than a stack for a function that returns futures") {
  const std::vector<frame> all = frames(3);
  const auto answer = [](const frame& f) {
    fmap::promise<int> p;
    p.set_value(first_pixel(f));
    return p.get_future();
  };
  int sum = 0;
  for (const int x : fmap::future_map(answer, all, 2)) sum += x;
  CHECK(sum == 3);
}

TEST_CASE("an item is destroyed before its result is handed out, also if the function throws") {
  struct watched {
    std::shared_ptr<int> alive;
    int value;
  };
  fmap::thread_pool pool{2};
  const auto alive = std::make_shared<int>();
  std::vector<watched> items;
  for (int i = 0; i != 100; ++i) items.push_back({alive, i});
  const auto fn = [](const watched& w) {
    if (w.value % 2 != 0) throw std::runtime_error{"odd"};
    return w.value;
  };
  fmap::future_map map{pool, fn, std::move(items), fmap::map_options{.chunksize = 1}};
  int left = 100;
  for (const auto& o : map.outcomes()) {
    CHECK(o.has_value() == (o.index() % 2 == 0));
    --left;
    CHECK(alive.use_count() <= 1 + left);
  }
  CHECK(left == 0);
}
