// SPDX-License-Identifier: BSD-3-Clause
// Outcomes that say which item they are about.
#include <atomic>
#include <filesystem>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"

using testing::message_of;

namespace {

constexpr auto size_of = [](const std::string& s) {
  return s.empty() ? throw std::runtime_error{"nothing"} : s.size();
};

/// Counts how many of it there are.
struct counted {
  static inline std::atomic<int> alive{0}, most{0};
  int n = 0;
  explicit counted(int n) : n{n} { born(); }
  counted(const counted& other) : n{other.n} { born(); }
  ~counted() { --alive; }

private:
  static void born() {
    const int now = ++alive;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
  }
};

struct throws_when_copied {
  int n = 0;
  explicit throws_when_copied(int n) : n{n} {}
  throws_when_copied(throws_when_copied&&) = default;
  throws_when_copied(const throws_when_copied& other) : n{other.n} {
    if (n == 5) throw std::runtime_error{"no copy of 5"};
  }
};

}  // namespace

TEST_CASE("keep_items: outcomes have their items, values and errors alike") {
  fmap::thread_pool pool{2};
  const std::vector<std::string> words{"a", "", "ccc", "", "eeeee"};
  for (const bool ordered : {false, true}) {
    std::size_t seen = 0;
    fmap::future_map m{pool, size_of, words, {.ordered = ordered, .keep_items = true}};
    for (const auto& o : m.outcomes()) {
      ++seen;
      CHECK(o.item<std::string>() == words[o.index()]);
      CHECK(o.what() == (o ? "" : "nothing"));
    }
    CHECK(seen == words.size());
  }
}

TEST_CASE("keep_items: ranges that are copied at once, and views whose items are moved in") {
  fmap::thread_pool pool{2};
  fmap::future_map m{pool,
                     [](int x) { return x; },
                     std::views::iota(0, 5000),
                     {.buffersize = 100, .keep_items = true}};
  std::size_t seen = 0;
  for (const auto& o : m.outcomes()) {
    ++seen;
    REQUIRE(o.item<int>() == o.value());
    REQUIRE(static_cast<std::uint64_t>(o.item<int>()) == o.index());
  }
  CHECK(seen == 5000);
  fmap::future_map moved{pool, size_of, std::vector<std::string>{"x", "yy"}, {.keep_items = true}};
  for (const auto& o : moved.outcomes()) CHECK(o.item<std::string>().size() == o.value());
}

TEST_CASE("keep_items: at most as many copies as items in flight, and none that stays") {
  counted::most = 0;
  {
    fmap::thread_pool pool{2};
    auto numbers =
        std::views::iota(0, 500) | std::views::transform([](int n) { return counted{n}; });
    fmap::future_map m{
        pool, [](counted c) { return c.n; }, numbers, {.buffersize = 10, .keep_items = true}};
    int left = 400;
    for (const int x : m) {
      CHECK(x >= 0);
      if (--left == 0) break;
    }
    CHECK(counted::most <= 3 * 10 + 10);  // items, copies, and arguments
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("keep_items: several ranges, functions that return futures") {
  fmap::thread_pool pool{2};
  const std::vector<int> a{1, 2, 3}, b{4, 5, 6};
  fmap::future_map calls{
      [&](int x) { return pool.submit([x] { return x; }); }, a, {.keep_items = true}};
  for (const auto& o : calls.outcomes()) CHECK(o.item<int>() == o.value());
}

TEST_CASE("keep_items: what is asked for wrongly") {
  fmap::thread_pool pool{2};
  const std::vector<int> numbers{1};
  fmap::future_map without{pool, [](int x) { return x; }, numbers};
  for (const auto& o : without.outcomes())
    CHECK_THAT(message_of<std::logic_error>([&] { o.item<int>(); }),
               Catch::Contains("the map keeps no items; set keep_items"));
  fmap::future_map with{pool, [](int x) { return x; }, numbers, {.keep_items = true}};
  for (const auto& o : with.outcomes())
    CHECK_THAT(message_of<std::logic_error>([&] { o.item<long>(); }),
               Catch::Contains("the item is a int, not a long"));
  std::vector<std::unique_ptr<int>> owners(3);
  const auto map_owners = [&] {
    fmap::future_map m{pool,
                       [](std::unique_ptr<int> p) { return p == nullptr; },
                       std::move(owners),
                       {.keep_items = true}};
  };
  CHECK_THAT(message_of<std::invalid_argument>(map_owners),
             Catch::Contains("keep_items needs items that can be copied"));
}

TEST_CASE("keep_items: an item that cannot be copied when it comes ends the input") {
  fmap::thread_pool pool{2};
  auto items =
      std::views::iota(0) | std::views::transform([](int n) { return throws_when_copied{n}; });
  fmap::future_map m{pool,
                     [](throws_when_copied t) { return t.n; },
                     items,
                     {.buffersize = 100, .keep_items = true}};
  int seen = 0;
  const auto all = [&] {
    for (const auto& o : m.outcomes()) seen += o.item<throws_when_copied>().n == o.value();
  };
  CHECK(message_of<std::runtime_error>(all) == "no copy of 5");
  CHECK(seen == 5);
}

TEST_CASE("keep_items: the text of what is no exception") {
  fmap::thread_pool pool{2};
  fmap::future_map m{pool, [](int x) -> int { throw x; }, std::vector{3}, {.keep_items = true}};
  for (const auto& o : m.outcomes()) {
    CHECK_FALSE(o.what().empty());
    CHECK(o.item<int>() == 3);
  }
}

namespace {

/// The language says that it can be copied.
struct looks_copied {
  int n = 0;
  std::vector<std::unique_ptr<int>> parts;
};

}  // namespace
template <>
inline constexpr bool fmap::copied<looks_copied> = false;

TEST_CASE("items that only look as if they could be copied, and functions that take anything") {
  fmap::thread_pool pool{2};
  std::vector<std::vector<std::unique_ptr<int>>> lists(3);
  fmap::future_map m{pool, [](std::vector<std::unique_ptr<int>> v) { return v.size(); },
                     std::move(lists)};
  for (const std::size_t n : m) CHECK(n == 0);
  std::vector<looks_copied> batches(3);
  fmap::future_map b{pool,
                     [](const looks_copied& x) { return x.n; },
                     std::move(batches),
                     {.retry = fmap::retry_policy{}}};
  for (const int n : b) CHECK(n == 0);
  const std::vector<std::vector<int>> numbers(3);
  fmap::future_map g{pool, [](auto&& v) { return v.push_back(1), v.size(); }, numbers};
  for (const std::size_t n : g) CHECK(n == 1);
  std::vector<std::unique_ptr<int>> owners;
  owners.push_back(std::make_unique<int>(5));
  fmap::future_map o{pool, [](auto&& p) { return *std::unique_ptr<int>{std::move(p)}; },
                     std::move(owners)};
  for (const int n : o) CHECK(n == 5);
  CHECK(fmap::copied<std::filesystem::path>);
  CHECK_FALSE(fmap::copied<std::pair<int, std::vector<std::unique_ptr<int>>>>);
}
