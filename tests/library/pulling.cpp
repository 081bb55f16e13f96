// SPDX-License-Identifier: BSD-3-Clause
// When the input is pulled, and when tokens go back.
#include <atomic>
#include <cstdint>
#include <sstream>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"

using namespace testing;

namespace {

std::uint64_t same(std::uint64_t x) { return x; }

/// 0, 1, 2 ... and counts what has been pulled.
auto counting(std::atomic<std::uint64_t>& pulled, std::uint64_t size = ~std::uint64_t{0}) {
  return made_range{[&pulled](std::uint64_t i) {
                      ++pulled;
                      return i;
                    },
                    size};
}

/// Whether it stays at `expected` for a while once it has got there.
bool settles(const std::atomic<std::uint64_t>& pulled, std::uint64_t expected) {
  if (!eventually([&] { return pulled == expected; })) return false;
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds{100});
    if (pulled != expected) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("nothing is pulled before begin()") {
  fmap::thread_pool pool{2};
  std::atomic<std::uint64_t> pulled{0};
  fmap::future_map map{pool, same, counting(pulled), 8};
  fmap::future_map moved = std::move(map);
  CHECK(settles(pulled, 0));
  CHECK(moved.stats().pulled == 0);
}

TEST_CASE("the source pulls exactly as far as there are tokens") {
  fmap::thread_pool pool{2};
  std::atomic<std::uint64_t> pulled{0};
  fmap::future_map map{pool, same, counting(pulled), 8};
  auto it = map.begin();
  for (std::uint64_t taken = 1; taken <= 50; ++taken, ++it) REQUIRE(settles(pulled, taken + 8));
}

TEST_CASE("with one token the next item is pulled when the result before it is taken") {
  fmap::thread_pool pool{2};
  std::atomic<std::uint64_t> pulled{0};
  fmap::future_map map{pool, same, counting(pulled), 1};
  auto it = map.begin();
  for (std::uint64_t taken = 1; taken <= 20; ++taken, ++it) {
    REQUIRE(*it == taken - 1);
    REQUIRE(settles(pulled, taken + 1));
  }
}

TEST_CASE("tokens go back in groups of at most an eighth of the buffersize") {
  fmap::thread_pool pool{2};
  std::atomic<std::uint64_t> pulled{0};
  fmap::future_map map{pool, same, counting(pulled), 64};
  auto it = map.begin();
  for (std::uint64_t taken = 1; taken <= 200; ++taken, ++it) {
    REQUIRE(eventually([&] { return pulled + 8 > taken + 64; }));
    REQUIRE(pulled <= taken + 64);
  }
}

TEST_CASE("all tokens are back before the consumer waits") {
  fmap::thread_pool pool{2};
  std::atomic<std::uint64_t> pulled{0};
  gate hold;
  opens_at_exit guard{hold};
  // Everything after the first 60 results is held up: the consumer takes 60 and then waits.
  fmap::future_map map{pool,
                       [&](std::uint64_t i) {
                         if (i >= 60) hold.pass();
                         return i;
                       },
                       counting(pulled), 64};
  std::jthread observer{[&] {
    eventually([&] { return pulled == 60 + 64; });
    hold.open();
  }};
  auto it = map.begin();
  for (int i = 0; i < 60; ++i) ++it;
  observer.join();
  CHECK(pulled >= 60 + 64);
}

TEST_CASE("an element is made by begin() or ++, never ahead of its token") {
  fmap::thread_pool pool{2};
  std::istringstream lines{"1 2 3 4 5 6 7 8 9 10"};
  fmap::future_map map{pool, [](int i) { return i; }, std::views::istream<int>(lines),
                       fmap::map_options{.buffersize = 2, .ordered = true}};
  auto it = map.begin();
  CHECK(*it == 1);
  REQUIRE(eventually([&] { return map.stats().in_flight == 2; }));
  // 1 is taken, 2 and 3 are in flight; 4 is still unread, and whoever reads it now has it.
  CHECK(map.stats().pulled == 3);
}

TEST_CASE("a stream is read no further than the items that were pulled") {
  fmap::thread_pool pool{2};
  std::istringstream lines{"1 2 3 4 5 6 7 8 9 10"};
  {
    fmap::future_map map{pool, [](int i) { return i; }, std::views::istream<int>(lines), 2};
    CHECK(map.begin() != map.end());
    REQUIRE(eventually([&] { return map.stats().in_flight == 2; }));
  }
  int next = 0;
  lines >> next;
  CHECK(next == 4);
}

TEST_CASE("a slow input is handed on item by item") {
  fmap::thread_pool pool{2};
  gate more;
  opens_at_exit guard{more};
  // The first 1000 items come at once, so that the source gathers; then the input stops in the middle.
  made_range input{[&](std::uint64_t i) {
    if (i == 1000) more.pass();
    return i;
  }};
  fmap::future_map map{pool, same, std::move(input), 256};
  auto it = map.begin();
  for (int i = 0; i < 999; ++i) ++it;  // hangs if an item is kept back
  CHECK(map.stats().taken == 1000);
  more.open();
}

TEST_CASE("only one thread touches the iterator") {
  fmap::thread_pool pool{3};
  std::atomic<bool> inside{false}, overlapped{false};
  std::thread::id puller;
  made_range input{[&](std::uint64_t i) {
                     if (inside.exchange(true)) overlapped = true;
                     if (i == 0) puller = std::this_thread::get_id();
                     if (puller != std::this_thread::get_id()) overlapped = true;
                     inside = false;
                     return i;
                   },
                   5000};
  CHECK(all_of(fmap::future_map(pool, same, std::move(input), 16)).size() == 5000);
  CHECK_FALSE(overlapped);
}

TEST_CASE("the default buffersize is a few items per worker when items are heavy") {
  fmap::thread_pool pool{8};
  fmap::future_map map{pool,
                       [](int i) {
                         std::this_thread::sleep_for(std::chrono::milliseconds{1});
                         return i;
                       },
                       std::views::iota(0, 200)};
  CHECK(all_of(map).size() == 200);
  CHECK(map.stats().buffersize >= 8);
  CHECK(map.stats().buffersize <= 64);
}

TEST_CASE("the default buffersize grows when items are tiny") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::views::iota(std::uint64_t{0})};
  const std::size_t initial = map.stats().buffersize;
  std::size_t widest = 0;
  std::uint64_t results = 0;
  for ([[maybe_unused]] auto& result : map) {
    if (++results % 1000 == 0) widest = map.stats().buffersize;
    if (widest >= 512 || results == 50'000'000) break;
  }
  CHECK(initial <= 64);
  CHECK(widest >= 512);
  CHECK(widest <= 1024);
}

TEST_CASE("a given buffersize never changes") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::views::iota(std::uint64_t{0}, std::uint64_t{50'000}), 16};
  for ([[maybe_unused]] auto& result : map) {}
  CHECK(map.stats().buffersize == 16);
}
