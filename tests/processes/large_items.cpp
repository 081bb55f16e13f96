// SPDX-License-Identifier: BSD-3-Clause
// Items and results of worker processes that are larger than a stack, or have constants in them.

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"

namespace {

/// Larger than the usual 8 MB of a stack.
struct frame {
  std::array<unsigned char, 9'000'000> pixels;
};

constexpr auto first_pixel = [](const frame& f) { return int{f.pixels[0]}; };
constexpr auto to_frame = [](int value) -> frame {
  auto f = std::make_unique<frame>();
  f->pixels[0] = static_cast<unsigned char>(value);
  return *f;
};

}  // namespace

template <>
inline constexpr bool fmap::travels_as_bytes<frame> = true;

TEST_CASE("items and results larger than a stack, in worker processes") {
  fmap::process_pool pool{2};
  std::vector<frame> all(3);
  for (unsigned char i = 0; i != 3; ++i) all[i].pixels[0] = i;
  int sum = 0;
  for (const int x : fmap::future_map(pool, first_pixel, all)) sum += x;
  for (const frame& f : fmap::future_map(pool, to_frame, std::views::iota(0, 3)))
    sum += first_pixel(f);
  const auto second = [](const std::pair<const int, frame>& e) { return first_pixel(e.second); };
  std::map<int, frame> map;
  map.try_emplace(1).first->second.pixels[0] = 7;
  for (const int x : fmap::future_map(pool, second, map)) sum += x;
  CHECK(sum == 13);
}

TEST_CASE("tasks of worker processes whose arguments and results are larger than a stack") {
  fmap::process_pool pool{1};
  const auto f = std::make_unique<frame>();
  CHECK(pool.submit(first_pixel, *f).get() == 0);
  const auto result = pool.submit(to_frame, 7);
  CHECK(first_pixel(result.get()) == 7);
  const auto to_map = [](int n) {
    std::map<int, frame> m;
    m.try_emplace(n);
    return m;
  };
  CHECK(pool.submit(to_map, 7).get().begin()->first == 7);
}

TEST_CASE("a std::map as the input of worker processes, and constants in items and results") {
  fmap::process_pool pool{1};
  const std::map<int, std::string> map{{1, "a"}, {2, "b"}};
  const auto text = [](std::pair<const int, std::string> e) { return e.second; };
  std::string all;
  for (const std::string& s : pool.map(text, map)) all += s;
  CHECK(all == "ab");
  CHECK(pool.submit(text, *map.begin()).get() == "a");
  const auto back = [](int n) { return std::pair<const int, std::string>{n, "c"}; };
  CHECK(pool.submit(back, 3).get().second == "c");
  for (const auto& e : fmap::future_map(pool, back, std::vector{3})) CHECK(e.first == 3);
  const auto parts = [](const std::tuple<const int, std::optional<const int>>& t) {
    return std::get<0>(t) + *std::get<1>(t);
  };
  std::vector<std::tuple<const int, std::optional<const int>>> tuples;
  tuples.emplace_back(1, 2);
  for (const int x : fmap::future_map(pool, parts, tuples)) CHECK(x == 3);
}
