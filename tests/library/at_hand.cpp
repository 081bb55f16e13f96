// SPDX-License-Identifier: BSD-3-Clause
// Inputs that are at hand have no source: workers pull them between batches.
#include <atomic>
#include <concepts>
#include <ranges>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"

using namespace testing;

namespace {

using fmap::detail::is_at_hand;

template <class Range>
using transformed = decltype(std::declval<Range>() | by_a_source);

static_assert(is_at_hand<std::vector<int>> && is_at_hand<const std::vector<std::string>&>);
static_assert(is_at_hand<std::span<int>> && is_at_hand<std::string&>);
static_assert(
    is_at_hand<std::ranges::iota_view<int>> && is_at_hand<std::ranges::iota_view<int, int>>);
static_assert(
    is_at_hand<decltype(std::views::iota(0) | std::views::drop(3) | std::views::take(9))>);
using while_true = bool (*)(int);
static_assert(!is_at_hand<std::ranges::take_while_view<std::span<int>, while_true>>);
static_assert(!is_at_hand<std::ranges::drop_while_view<std::span<int>, while_true>>);
static_assert(!is_at_hand<std::ranges::istream_view<int>>);
static_assert(!is_at_hand<transformed<std::ranges::iota_view<int>>>);
static_assert(!is_at_hand<std::ranges::take_view<transformed<std::ranges::iota_view<int>>>>);

/// Notes which threads copy it, and cannot be copied if it is negative.
struct noted {
  explicit noted(int v) : value{v} {}
  noted(const noted& other) : value{other.value} {
    if (value < 0) throw std::runtime_error{"not this one"};
    if (copied_by != nullptr) copied_by->insert(std::this_thread::get_id());
  }
  noted(noted&&) = default;

  int value;
  static inline std::set<std::thread::id>* copied_by = nullptr;
};

}  // namespace

TEST_CASE("a worker pulls an input at hand") {
  std::set<std::thread::id> copied_by, called_by;
  noted::copied_by = &copied_by;
  {
    const std::vector<noted> items(100, noted{1});
    copied_by.clear();
    fmap::thread_pool pool{1};
    const auto note = [&](const noted& n) {
      called_by.insert(std::this_thread::get_id());
      return n.value;
    };
    CHECK(all_of(fmap::future_map(pool, note, items, 8)).size() == 100);
  }
  noted::copied_by = nullptr;
  CHECK(copied_by == called_by);
  CHECK(copied_by.size() == 1);
}

/// Copied from elements that may change by a constructor of the user's, though trivially copyable.
struct picky {
  explicit picky(int v) : value{v} {}
  template <std::same_as<picky&> Other>
  picky(Other&& other) : value{other.value} {  // NOLINT(google-explicit-constructor)
    if (value < 0) throw std::runtime_error{"not this one"};
  }
  int value;
};
static_assert(std::is_trivially_copyable_v<picky>);

/// Maps elements one of which cannot be copied; how many results come before its error.
template <class Item>
std::size_t taken_before_error(std::vector<Item>& items) {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, [](const Item& item) { return item.value; }, items, 8};
  std::size_t taken = 0;
  CHECK_THROWS_WITH(
      [&] {
        for ([[maybe_unused]] int v : map) ++taken;
      }(),
      "not this one");
  return taken;
}

TEST_CASE("an element at hand with a constructor of its own for its copies") {
  std::vector<picky> items(50, picky{1});
  items[20].value = -1;
  CHECK(taken_before_error(items) == 20);
}

TEST_CASE("an element at hand that cannot be copied ends the input with its error") {
  for (std::size_t at : {0u, 1u, 7u, 49u}) {
    std::vector<noted> items;
    items.reserve(50);
    for (std::size_t i = 0; i != 50; ++i) items.emplace_back(i == at ? -1 : 1);
    CHECK(taken_before_error(items) == at);
  }
}

TEST_CASE("an input at hand is pulled up to the bound, and no further") {
  for (std::size_t bound : {1u, 2u, 3u, 8u, 100u, 1000u}) {
    fmap::thread_pool pool{2};
    fmap::future_map map{pool, [](int i) { return i; }, std::views::iota(0), bound};
    auto it = map.begin();
    for (int taken = 1; taken != 5; ++taken, ++it) {
      // A token goes back when the result after it is asked for, or with a few others.
      REQUIRE(eventually([&] { return map.stats().pulled >= bound; }));
      REQUIRE(map.stats().pulled <= bound + static_cast<std::size_t>(taken));
      REQUIRE(map.stats().peak_in_flight <= bound);
    }
  }
}

TEST_CASE(
    "an input at hand gets its share beside a source that always has more, and the other way") {
  fmap::thread_pool pool{2};
  std::atomic<bool> enough{false};
  const auto same = [](int i) { return i; };
  for (bool first_at_hand : {false, true}) {
    enough = false;
    std::jthread other{[&] {
      const auto read = [&](auto map) {
        for ([[maybe_unused]] int v : map)
          if (enough) break;
      };
      if (first_at_hand)
        read(fmap::future_map(pool, same, std::views::iota(0), 256));
      else
        read(fmap::future_map(pool, same, std::views::iota(0) | by_a_source, 256));
    }};
    const auto count = [&](auto map) { return all_of(map).size(); };
    if (first_at_hand)
      CHECK(count(fmap::future_map(pool, same, std::views::iota(0, 5000) | by_a_source, 16))
            == 5000);
    else
      CHECK(count(fmap::future_map(pool, same, std::views::iota(0, 5000), 16)) == 5000);
    enough = true;
  }
}

TEST_CASE("many inputs at hand, left early or read to their ends, on one pool") {
  fmap::thread_pool pool{3};
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> readers;
    for (int n = 0; n != 8; ++n)
      readers.emplace_back([&, n] {
        for (int i = 0; i != 60; ++i) {
          const int size = (37 * i + 11 * n) % 200, leave_at = i % 3 == 0 ? i + 1 : size;
          const auto bound = static_cast<std::size_t>(1 + (i * n) % 20);
          std::vector<int> items(static_cast<std::size_t>(size), 1);
          int taken = 0;
          for (int v : fmap::future_map(
                   pool, [](int x) { return x + 1; }, items, bound)) {
            if (v != 2) ++wrong;
            if (++taken == leave_at) break;
          }
          if (taken != std::min(size, leave_at)) ++wrong;
        }
      });
  }
  CHECK(wrong == 0);
}
