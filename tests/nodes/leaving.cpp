// SPDX-License-Identifier: BSD-3-Clause
// Nodes that leave in order: asked by their pool, or by a signal.
#include <csignal>
#include <functional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include <signal.h>

#include <fmap/fmap.hpp>
#include <fmap/node_pool.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/nodes.hpp"
#include "support/pools.hpp"

using namespace std::chrono_literals;
using fmap::node_event_kind;
using fmap::node_state;
using testing::eventually;
using testing::message_of;
using testing::node_commands;

namespace {

/// Waits at a meeting point, unless the number is negative.
struct meets {
  std::string path;
  int operator()(int x) const { return x < 0 ? x : testing::meet(path, x); }
};
template <class Inspector>
auto inspect(Inspector& f, meets& m) {
  return f(m.path);
}

constexpr auto same = [](int x) { return x; };

/// A map whose items all wait, at most 4 of them at a time, and that allows no item to be tried again.
void leaves_in_order(const std::function<void(fmap::node_pool&, const fmap::node_info&)>& ask,
                     const std::string& reason) {
  testing::event_log log;
  fmap::node_pool pool{{.launch = node_commands(2), .on_event = log.listener()}};
  pool.wait_for_nodes(2, 60s);
  const testing::meeting_point here;
  fmap::future_map m{
      pool, meets{here.path()}, std::views::iota(-1, 299), {.buffersize = 100, .max_attempts = 1}};
  auto all = m.outcomes();
  auto it = all.begin();
  REQUIRE(it->index() == 0);
  REQUIRE(eventually([&] { return here.arrived() == 4; }));
  ask(pool, pool.nodes().front());
  REQUIRE(eventually([&] { return pool.nodes().front().state == node_state::leaving; }));
  CHECK(eventually([&] { return log.count(node_event_kind::leaving) == 1; }));
  CHECK(pool.workers() == 2);
  here.open();
  int values = 0;
  for (; it != all.end(); ++it)
    values += it->has_value() && it->value() == static_cast<int>(it->index()) - 1;
  CHECK(values == 300);
  CHECK(m.stats().retried == 0);
  CHECK(eventually([&] { return pool.nodes().front().state == node_state::left; }));
  CHECK(eventually([&] { return log.count(node_event_kind::left) == 1; }));
  CHECK(log.count(node_event_kind::lost) == 0);
  CHECK_THAT(pool.nodes().front().last_end, Catch::Contains(reason));
  CHECK(pool.nodes().front().lives == 1);
  CHECK(pool.nodes().back().state == node_state::ready);
  CHECK(pool.submit(same, 3).get() == 3);
}

}  // namespace

TEST_CASE("nodes: one that is drained finishes what it has begun, and nothing is lost") {
  leaves_in_order(
      [](fmap::node_pool& pool, const fmap::node_info& n) {
        CHECK(pool.drain(n.name));
        CHECK_FALSE(pool.drain(n.name));
      },
      "its pool has asked it to leave");
}

TEST_CASE("nodes: one that gets SIGTERM finishes what it has begun, and nothing is lost") {
  leaves_in_order([](fmap::node_pool&, const fmap::node_info& n) { ::kill(n.pid, SIGTERM); },
                  "it got signal 15");
}

TEST_CASE("nodes: a second signal ends a node at once") {
  fmap::node_pool pool{{.launch = node_commands(2)}};
  pool.wait_for_nodes(2, 60s);
  const testing::meeting_point here;
  std::vector<fmap::future<int>> tasks;
  for (int i = 0; i != 4; ++i) tasks.push_back(pool.submit(meets{here.path()}, i));
  REQUIRE(eventually([&] { return here.arrived() == 4; }));
  const fmap::node_info n = pool.nodes().front();
  ::kill(n.pid, SIGTERM);
  REQUIRE(eventually([&] { return pool.nodes().front().state == node_state::leaving; }));
  ::kill(n.pid, SIGTERM);
  CHECK(eventually([&] { return pool.nodes().front().state == node_state::left; }));
  here.open();
  for (int i = 0; i != 4; ++i) CHECK(tasks[static_cast<std::size_t>(i)].get() == i);
}

TEST_CASE("nodes: what still runs when the time to leave is over goes to another node") {
  fmap::node_pool pool{{.launch = node_commands(2)}};
  pool.wait_for_nodes(2, 60s);
  const testing::meeting_point here;
  std::vector<fmap::future<int>> tasks;
  for (int i = 0; i != 4; ++i) tasks.push_back(pool.submit(meets{here.path()}, i));
  REQUIRE(eventually([&] { return here.arrived() == 4; }));
  pool.drain(pool.nodes().front().name, 100ms);
  CHECK(eventually([&] { return pool.nodes().front().state == node_state::left; }));
  here.open();
  for (int i = 0; i != 4; ++i) CHECK(tasks[static_cast<std::size_t>(i)].get() == i);
  CHECK(pool.nodes().back().lives == 1);
}

TEST_CASE("nodes: one that is dropped is gone, and its items go to another node") {
  fmap::node_pool pool{{.launch = node_commands(2)}};
  pool.wait_for_nodes(2, 60s);
  const testing::meeting_point here;
  std::vector<fmap::future<int>> tasks;
  for (int i = 0; i != 4; ++i) tasks.push_back(pool.submit(meets{here.path()}, i));
  REQUIRE(eventually([&] { return here.arrived() == 4; }));
  const fmap::node_info n = pool.nodes().front();
  pool.drop(n.name);
  CHECK(eventually([&] { return pool.nodes().front().state == node_state::left; }));
  CHECK(eventually([&] { return !testing::alive(n.pid); }));
  here.open();
  for (int i = 0; i != 4; ++i) CHECK(tasks[static_cast<std::size_t>(i)].get() == i);
  CHECK_THAT(message_of<std::invalid_argument>([&] { pool.drop(n.name); }),
             Catch::Contains("node " + n.name + " has not been here for")
                 && Catch::Contains("it was dropped"));
  CHECK_THAT(message_of<std::invalid_argument>([&] { pool.drain("nobody"); }),
             Catch::Contains("no node has the name nobody; here are " + pool.nodes().back().name));
}

TEST_CASE("nodes: a pool whose nodes have all left is broken, and says why") {
  fmap::node_pool pool{{.launch = node_commands(1)}};
  pool.wait_for_nodes(1, 60s);
  CHECK(pool.submit(same, 3).get() == 3);
  CHECK(pool.drain(pool.nodes().front().name));
  CHECK(eventually([&] { return pool.nodes().front().state == node_state::left; }));
  const auto broken = [&] {
    try {
      pool.submit(same, 4).get();
    } catch (const fmap::broken_pool& e) {
      return message_of(e.cause());
    }
    return std::string{};
  };
  std::string why;
  CHECK(eventually([&] { return !(why = broken()).empty(); }));
  CHECK_THAT(why, Catch::Contains("no node is left")
                      && Catch::Contains("its pool has asked it to leave"));
}
