// SPDX-License-Identifier: BSD-3-Clause
// Pools of worker processes that change their size while they are used.
#include <csignal>
#include <cstdint>
#include <ranges>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/pools.hpp"
#include "support/processes.hpp"
#include "support/seed.hpp"

using namespace std::chrono_literals;
using namespace testing;

namespace {

constexpr auto meet_at = [](const std::string& path, int) { return meet(path, ::getpid()); };
constexpr auto dies_of_13 = [](int x) {
  if (x % 1000 == 13) std::raise(SIGKILL);
  return x;
};

/// Tasks that wait at a meeting point, each in a process of its own.
std::vector<fmap::future<int>> held_up(fmap::process_pool& pool, const meeting_point& at, int n) {
  std::vector<fmap::future<int>> result;
  for (int i = 0; i != n; ++i) result.push_back(pool.submit(meet_at, at.path(), i));
  return result;
}

std::size_t processes_of(const std::vector<fmap::future<int>>& done) {
  std::set<int> pids;
  for (const auto& f : done) pids.insert(f.get());
  return pids.size();
}

}  // namespace

TEST_CASE("more processes are started for what waits when a pool grows") {
  fmap::process_pool pool{1};
  const meeting_point here;
  const auto results = held_up(pool, here, 4);
  REQUIRE(eventually([&] { return here.arrived() == 1; }));
  pool.resize(4);
  CHECK(pool.workers() == 4);
  REQUIRE(eventually([&] { return here.arrived() == 4; }));
  here.open();
  CHECK(processes_of(results) == 4);
}

TEST_CASE("processes that are too many end after their items, those that are idle at once") {
  fmap::process_pool pool{4};
  {
    const meeting_point here, there;
    const auto first = held_up(pool, here, 4);
    REQUIRE(eventually([&] { return here.arrived() == 4; }));
    const belongings four;
    pool.resize(1);
    const auto second = held_up(pool, there, 6);
    here.open();
    CHECK(processes_of(first) == 4);
    REQUIRE(eventually([&] { return there.arrived() == 1; }));
    CHECK(eventually([&] { return belongings{}.processes + 3 <= four.processes; }));
    CHECK(there.arrived() == 1);
    there.open();
    CHECK(processes_of(second) == 1);
  }
  {
    pool.resize(3);
    const meeting_point here;
    const auto results = held_up(pool, here, 3);
    REQUIRE(eventually([&] { return here.arrived() == 3; }));
    here.open();
    CHECK(processes_of(results) == 3);
    const belongings three;
    pool.resize(1);
    CHECK(eventually([&] { return belongings{}.processes + 2 <= three.processes; }));
  }
}

TEST_CASE("what a process holds ahead goes to others when it is to leave") {
  fmap::process_pool pool{2};
  const meeting_point here;
  constexpr auto first_waits = [](const std::pair<std::string, int>& x) {
    return x.second < 2 ? meet(x.first, x.second) : x.second;
  };
  std::vector<std::pair<std::string, int>> items;
  for (int i = 0; i != 2000; ++i) items.emplace_back(here.path(), i);
  // The pool learns that they are small, and so worth holding ahead.
  for (int v : fmap::future_map{pool, first_waits, std::views::drop(items, 2), 500}) REQUIRE(v > 1);
  std::set<int> seen;
  std::jthread consumer{[&] {
    for (int v : fmap::future_map{pool, first_waits, items, 500}) seen.insert(v);
  }};
  REQUIRE(eventually([&] { return here.arrived() == 2; }));
  pool.resize(1);
  here.open();
  consumer.join();
  CHECK(seen.size() == 2000);
}

TEST_CASE("processes may die while their pool changes its size") {
  fmap::process_pool pool{2};
  dice random{seed()};
  std::set<int> values, lost;
  int n = 0;
  auto m = fmap::future_map{pool, dies_of_13, std::views::iota(0, 12'000),
                            fmap::map_options{.buffersize = 300, .max_attempts = 2}};
  for (auto& o : m.outcomes()) {
    if (o)
      values.insert(o.value());
    else
      lost.insert(static_cast<int>(o.index()));
    if (++n % 400 == 0) pool.resize(random.between(1, 5));
  }
  CHECK(values.size() == 12'000 - 12);
  CHECK(lost.size() == 12);
  for (const int i : lost) CHECK(i % 1000 == 13);
}
