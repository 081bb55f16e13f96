// SPDX-License-Identifier: BSD-3-Clause
// What outstanding futures cost.
#include <cstddef>
#include <vector>

#include <malloc.h>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/this_process.hpp"

using namespace testing;

namespace {

/// What is allocated now, with the allocator's own headers.
std::size_t allocated() {
  const auto m = mallinfo2();
  return m.uordblks + m.hblkhd;
}

constexpr std::size_t many = memory_is_watched ? 20'000 : 1'000'000;

}  // namespace

TEST_CASE("a million futures outstanding at once cost at most 300 bytes each, all freed after") {
  {
    fmap::thread_pool{1}.submit([] {}).get();
  }
  const std::size_t before = allocated();
  {
    fmap::thread_pool pool{1};
    gate hold;
    opens_at_exit guard{hold};
    pool.submit([&] { hold.pass(); });
    REQUIRE(eventually([&] { return hold.waiting() == 1; }));
    const std::size_t started = allocated();
    std::vector<fmap::future<std::size_t>> all;
    all.reserve(many);
    for (std::size_t i = 0; i != many; ++i) all.push_back(pool.submit([i] { return 2 * i; }));
    const std::size_t each = (allocated() - started) / many;
    if (!memory_is_watched) CHECK(each <= 300);
    CHECK_FALSE(all.front().done());
    hold.open();
    std::size_t wrong = 0;
    for (std::size_t i = 0; i != many; ++i)
      if (all[i].get() != 2 * i) ++wrong;
    CHECK(wrong == 0);
  }
  if (!memory_is_watched) CHECK(eventually([&] { return allocated() <= before + 64 * 1024; }));
}

TEST_CASE("a pool gives back the memory of a burst of tasks when it is over") {
  fmap::thread_pool pool{1};
  pool.submit([] {}).get();
  gate hold;
  opens_at_exit guard{hold};
  pool.submit([&] { hold.pass(); });
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  const std::size_t before = allocated();
  for (std::size_t i = 0; i != many; ++i) pool.submit([] {});
  hold.open();
  pool.submit([] {}).get();
  if (!memory_is_watched) CHECK(eventually([&] { return allocated() <= before + 1024 * 1024; }));
}

TEST_CASE("tasks that come and go leave nothing behind") {
  fmap::thread_pool pool{2};
  const auto round = [&] {
    std::vector<fmap::future<std::size_t>> all;
    for (std::size_t i = 0; i != 1000; ++i) all.push_back(pool.submit([i] { return 2 * i; }));
    for (const auto& f : all) f.wait();
  };
  const int rounds = memory_is_watched ? 20 : 300;
  for (int i = 0; i != rounds; ++i) round();
  const std::size_t before = allocated();
  for (int i = 0; i != rounds; ++i) round();
  if (!memory_is_watched) CHECK(allocated() <= before + 64 * 1024);
}
