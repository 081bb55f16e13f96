// SPDX-License-Identifier: BSD-3-Clause
// Maps and tasks on nodes: what everybody expects of a pool.
#include <cstdio>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/node_pool.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/nodes.hpp"
#include "support/pools.hpp"

using namespace std::chrono_literals;
using testing::message_of;
using testing::node_command;
using testing::node_commands;

namespace {

constexpr auto square = [](int x) { return x * x; };
constexpr auto where = [](int) { return static_cast<int>(::getppid()); };

/// Waits at a meeting point, unless the number is negative.
struct meets {
  std::string path;
  int operator()(int x) const { return x < 0 ? x : testing::meet(path, x); }
};
template <class Inspector>
auto inspect(Inspector& f, meets& m) {
  return f(m.path);
}

}  // namespace

TEST_CASE("nodes: a map over two nodes has all results, and keeps its bound") {
  fmap::node_pool pool{{.launch = node_commands(2)}};
  CHECK(pool.wait_for_nodes(2, 60s) == 2);
  CHECK(pool.workers() == 4);
  fmap::future_map m{pool, square, std::views::iota(0, 20'000), 64};
  std::vector<int> results = testing::sorted(m);
  CHECK(m.stats().peak_in_flight <= 64);
  REQUIRE(results.size() == 20'000);
  for (int i = 0; i != 20'000; ++i) REQUIRE(results[static_cast<std::size_t>(i)] == i * i);
  std::uint64_t done = 0;
  for (const fmap::node_info& n : pool.nodes()) {
    CHECK(n.state == fmap::node_state::ready);
    CHECK(n.workers == 2);
    CHECK(n.threads == 2);
    CHECK(n.lives == 1);
    CHECK(n.name == n.host + ":" + std::to_string(n.pid));
  }
  CHECK(testing::eventually([&] {
    done = 0;
    for (const fmap::node_info& n : pool.nodes()) done += n.done;
    return done == 20'000;
  }));
}

TEST_CASE("nodes: both nodes work, and so do all their processes") {
  const testing::belongings before;
  {
    fmap::node_pool pool{{.launch = node_commands(2)}};
    pool.wait_for_nodes(2, 60s);
    const testing::meeting_point here;
    std::vector<fmap::future<int>> tasks;
    for (int i = 0; i != 4; ++i) tasks.push_back(pool.submit(meets{here.path()}, i));
    CHECK(testing::eventually([&] { return here.arrived() == 4; }));
    here.open();
    for (int i = 0; i != 4; ++i) CHECK(tasks[static_cast<std::size_t>(i)].get() == i);
  }
  CHECK(testing::eventually([&] { return testing::belongings{}.no_more_than(before); }));
}

TEST_CASE("nodes: ordered maps, tasks and several ranges") {
  fmap::node_pool pool{{.launch = node_commands(2)}};
  fmap::future_map m{pool, square, std::views::iota(0, 1000), {.buffersize = 50, .ordered = true}};
  int expected = 0;
  for (const int x : m) {
    REQUIRE(x == expected * expected);
    ++expected;
  }
  CHECK(expected == 1000);
  CHECK(pool.submit([](int a, int b) { return a + b; }, 3, 4).get() == 7);
  const std::vector<int> a{1, 2, 3}, b{4, 5, 6};
  CHECK(testing::all_of(pool.map([](int x, int y) { return x * y; }, a, b))
        == std::vector<int>{4, 10, 18});
}

TEST_CASE("nodes: functions run in processes of the node, not in the node and not here") {
  fmap::node_pool pool{{.launch = node_commands(1)}};
  pool.wait_for_nodes(1, 60s);
  const int agent = pool.nodes().front().pid;
  CHECK(agent != ::getpid());
  CHECK(pool.submit(where, 0).get() == agent);
}

TEST_CASE("nodes: exceptions come home, and say where they were thrown") {
  fmap::node_pool pool{{.launch = node_commands(1)}};
  auto f = pool.submit([](int x) -> int { throw std::out_of_range{"no " + std::to_string(x)}; }, 5);
  try {
    f.get();
    FAIL("nothing was thrown");
  } catch (const std::out_of_range& e) {
    CHECK(std::string{e.what()} == "no 5");
    const auto* origin = dynamic_cast<const fmap::remote_origin*>(&e);
    REQUIRE(origin != nullptr);
    CHECK(origin->pid() != pool.nodes().front().pid);
    CHECK(origin->host() == pool.nodes().front().host);
  }
}

TEST_CASE("nodes: what functions and login shells print does not disturb the connection") {
  fmap::node_pool pool{
      {.launch = {"echo 'Welcome to this host'; printf 'FMAP soon '; " + node_command(1)}}};
  constexpr auto prints = [](int x) {
    std::puts("an item prints this, which is part of the test");
    std::fflush(stdout);
    return x;
  };
  fmap::future_map m{pool, prints, std::views::iota(0, 10), 4};
  CHECK(testing::sorted(m) == testing::numbers(0, 10));
}

TEST_CASE("nodes: large items and results, and those that are too large") {
  fmap::node_pool pool{{.launch = node_commands(1), .max_item_bytes = 1 << 20}};
  constexpr auto doubled = [](const std::string& s) { return s + s; };
  CHECK(pool.submit(doubled, std::string(400'000, 'x')).get().size() == 800'000);
  CHECK_THAT(
      message_of<fmap::error>([&] { pool.submit(doubled, std::string(2'000'000, 'x')).get(); }),
      Catch::Contains("more than max_item_bytes, which is 1048576"));
  CHECK_THAT(
      message_of<fmap::error>([&] { pool.submit(doubled, std::string(900'000, 'x')).get(); }),
      Catch::Contains("a result has 1800") && Catch::Contains("which is 1048576"));
  CHECK(pool.submit(square, 3).get() == 9);
  CHECK(pool.nodes().front().lives == 1);
}

TEST_CASE("nodes: an initializer runs in each process; one that throws breaks the pool") {
  static int value = 0;
  {
    fmap::node_pool pool{
        {.launch = node_commands(1), .processes = {.initializer = [] { value = 5; }}}};
    CHECK(pool.submit([] { return value; }).get() == 5);
  }
  fmap::node_pool pool{{.launch = node_commands(2), .processes = {.initializer = [] {
                                                      throw std::runtime_error{"no licence"};
                                                    }}}};
  try {
    pool.submit(square, 1).get();
    FAIL("nothing was thrown");
  } catch (const fmap::broken_pool& e) {
    CHECK_THAT(testing::message_of(e.cause()), Catch::Contains("no licence"));
  }
}

TEST_CASE("nodes: leaving a map does not wait for what nodes are at") {
  fmap::node_pool pool{{.launch = node_commands(2)}};
  pool.wait_for_nodes(2, 60s);
  const testing::meeting_point here;
  {
    fmap::future_map m{pool, meets{here.path()}, std::views::iota(-1, 1000), 100};
    CHECK(*m.begin() == -1);
    REQUIRE(testing::eventually([&] { return here.arrived() == 4; }));
  }
  SUCCEED();  // though nobody has opened
  here.open();
  CHECK(pool.submit(square, 2).get() == 4);
}

TEST_CASE("nodes: options that make no sense, and commands that are not known") {
  using fmap::node_pool;
  using fmap::node_pool_options;
  const auto refused = [](node_pool_options o) {
    return message_of<std::invalid_argument>([&] { node_pool pool{o}; });
  };
  CHECK_THAT(refused({}), Catch::Contains("no node can ever come"));
  CHECK_THAT(refused({.launch = {""}}), Catch::Contains("a command is empty"));
  CHECK_THAT(refused({.launch = {"true"}, .heartbeat = 6s}),
             Catch::Contains("at most a third of silence"));
  CHECK_THAT(refused({.launch = {"true"}, .processes = {.workers = 3}}),
             Catch::Contains("--fmap-workers=N"));
  CHECK_THAT(refused({.launch = {"true"}, .processes = {.nice = 30}}),
             Catch::Contains("nice is 30"));
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto exits = [&](const std::string& flags) {
    return WEXITSTATUS(
        std::system(("'" + self + "' " + flags + " </dev/null >/dev/null 2>&1").c_str()));
  };
  CHECK(exits("--fmap-node=host") == 2);
  CHECK(exits("--fmap-node=- --fmap-worker-count=2") == 2);
  CHECK(exits("--fmap-node=- --fmap-workers=0") == 2);
  CHECK(exits("--fmap-node=-") == 0);
}
