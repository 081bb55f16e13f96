// SPDX-License-Identifier: BSD-3-Clause
// Processes and nodes that die: who is to blame, what is tried again, and what is told.
#include <csignal>
#include <cstdlib>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/node_pool.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/nodes.hpp"
#include "support/pools.hpp"

using namespace std::chrono_literals;
using testing::eventually;
using testing::node_command;
using testing::node_commands;

namespace {

constexpr auto twice = [](int x) { return 2 * x; };

constexpr auto dies_at_13 = [](int x) {
  if (x == 13) {
    std::signal(SIGSEGV, SIG_DFL);  // a sanitizer would turn it into an exit
    std::raise(SIGSEGV);
  }
  return x;
};

/// Writes its number down, and waits at a meeting point unless it is negative.
struct writes_and_meets {
  std::string path;
  int operator()(int x) const {
    testing::logbook::write(static_cast<std::uint64_t>(x));
    return x < 0 ? x : testing::meet(path, x);
  }
};
template <class Inspector>
auto inspect(Inspector& f, writes_and_meets& m) {
  return f(m.path);
}

struct tally {
  std::map<std::uint64_t, int> outcomes;
  std::set<std::uint64_t> lost;
};

template <class Map>
tally read_all(Map& m) {
  tally t;
  for (auto& o : m.outcomes()) {
    ++t.outcomes[o.index()];
    if (!o.has_value()) t.lost.insert(o.index());
  }
  return t;
}

}  // namespace

TEST_CASE("nodes: a poison item is quarantined and named, and its nodes live on") {
  fmap::node_pool pool{{.launch = node_commands(2)}};
  pool.wait_for_nodes(2, 60s);
  const auto agents = pool.nodes();
  fmap::future_map m{pool, dies_at_13, std::views::iota(0, 2000), 64};
  int values = 0, lost = 0;
  for (auto& o : m.outcomes()) {
    if (o.has_value()) {
      ++values;
      continue;
    }
    ++lost;
    CHECK(o.index() == 13);
    CHECK(o.attempts() == 3);
    try {
      o.value();
    } catch (const fmap::node_lost&) {
      FAIL("the node was not lost");
    } catch (const fmap::worker_lost& e) {
      CHECK(e.index() == 13);
      CHECK(e.attempts() == 3);
      CHECK(e.signal() == SIGSEGV);
      CHECK(e.host() == agents.front().host);
      CHECK(e.pid() > 0);
      for (const auto& a : agents) CHECK(e.pid() != a.pid);
    }
  }
  CHECK(values == 1999);
  CHECK(lost == 1);
  std::uint64_t deaths = 0;
  for (const auto& n : pool.nodes()) {
    CHECK(n.lives == 1);
    deaths += n.deaths;
  }
  CHECK(deaths >= 3);
}

TEST_CASE("nodes: with max_attempts = 1 a poison item dies once") {
  fmap::node_pool pool{{.launch = node_commands(2)}};
  fmap::future_map m{
      pool, dies_at_13, std::views::iota(0, 200), {.buffersize = 16, .max_attempts = 1}};
  const tally t = read_all(m);
  CHECK(t.outcomes.size() == 200);
  CHECK(t.lost.contains(13));
  // Besides, what the same process had finished, and whose results died with it: it came before.
  for (const auto index : t.lost) CHECK(index <= 13);
}

TEST_CASE("nodes: a task that dies is worker_lost, too") {
  fmap::node_pool pool{{.launch = node_commands(1)}};
  auto f = pool.submit(dies_at_13, 13);
  CHECK_THROWS_AS(f.get(), fmap::worker_lost);
  CHECK(pool.submit(twice, 4).get() == 8);
}

TEST_CASE("nodes: a worker process that is killed from outside costs an attempt") {
  fmap::node_pool pool{{.launch = node_commands(1, 1)}};
  pool.wait_for_nodes(1, 60s);
  const testing::meeting_point here;
  auto f = pool.submit([](const std::string& path) { return testing::meet(path, 5); }, here.path());
  REQUIRE(eventually([&] { return here.arrived() == 1; }));
  const auto workers = testing::children_of(pool.nodes().front().pid);
  REQUIRE(workers.size() == 1);
  ::kill(workers.front(), SIGKILL);
  REQUIRE(eventually([&] { return here.arrived() == 2; }));
  here.open();
  CHECK(f.get() == 5);
  CHECK(pool.nodes().front().lives == 1);
}

TEST_CASE("nodes: an agent that is killed costs time, and one outcome comes for each item") {
  testing::event_log log;
  fmap::node_pool pool{{.launch = node_commands(2), .on_event = log.listener()}};
  pool.wait_for_nodes(2, 60s);
  const testing::logbook book;
  const testing::meeting_point here;
  std::vector<fmap::future<int>> tasks;
  for (int i = 0; i != 4; ++i)
    tasks.push_back(pool.submit(
        [](const std::string& path, int x) { return testing::meet(path, x); }, here.path(), i));
  REQUIRE(eventually([&] { return here.arrived() == 4; }));
  const auto before = pool.nodes();
  const auto workers = testing::children_of(before.front().pid);
  CHECK(workers.size() == 2);
  ::kill(before.front().pid, SIGKILL);
  // Its processes end with it, another agent comes, and does what it had.
  REQUIRE(eventually([&] { return here.arrived() == 6; }));
  for (const pid_t w : workers) CHECK(eventually([&] { return !testing::alive(w); }));
  here.open();
  for (int i = 0; i != 4; ++i) CHECK(tasks[static_cast<std::size_t>(i)].get() == i);
  const auto after = pool.nodes();
  CHECK(after.front().pid != before.front().pid);
  CHECK(after.front().lives == 2);
  CHECK(after.back().lives == 1);
  CHECK(log.count(fmap::node_event_kind::lost) == 1);
  CHECK(eventually([&] { return log.count(fmap::node_event_kind::joined) == 3; }));
  CHECK_THAT(after.front().last_end, Catch::Contains("killed by signal 9"));
}

TEST_CASE("nodes: with max_attempts = 1 nothing that a lost node held is executed twice") {
  const testing::logbook book;
  fmap::node_pool pool{
      {.launch = node_commands(2), .processes = {.environment = {book.variable()}}}};
  pool.wait_for_nodes(2, 60s);
  const testing::meeting_point here;
  fmap::future_map m{pool,
                     writes_and_meets{here.path()},
                     std::views::iota(-1, 40),
                     {.buffersize = 20, .max_attempts = 1}};
  auto all = m.outcomes();
  auto it = all.begin();
  CHECK(it->index() == 0);
  REQUIRE(eventually([&] { return here.arrived() == 4; }));
  const fmap::node_info victim = pool.nodes().front();
  ::kill(victim.pid, SIGKILL);
  REQUIRE(eventually([&] { return pool.nodes().front().lives == 2; }));
  here.open();
  std::map<std::uint64_t, int> outcomes;
  std::set<std::uint64_t> lost;
  for (; it != all.end(); ++it) {
    ++outcomes[it->index()];
    if (it->has_value()) continue;
    lost.insert(it->index());
    try {
      it->value();
    } catch (const fmap::node_lost& e) {
      CHECK(e.node() == victim.name);
      CHECK(e.host() == victim.host);
      CHECK(e.pid() == victim.pid);
      CHECK_THAT(e.what(), Catch::Contains("was lost with node " + victim.name)
                               && Catch::Contains("may have been executed")
                               && Catch::Contains("max_attempts = 1"));
    }
  }
  CHECK(outcomes.size() == 41);
  for (const auto& [index, n] : outcomes) CHECK(n == 1);
  CHECK(lost.size() >= 2);
  for (const auto& [x, n] : book.counts()) {
    INFO("item " << x);
    CHECK(n == 1);
  }
}

TEST_CASE("nodes: one that is stopped is silent, and lost") {
  testing::event_log log;
  fmap::node_pool pool{
      {.launch = node_commands(2), .heartbeat = 500ms, .silence = 3s, .on_event = log.listener()}};
  pool.wait_for_nodes(2, 60s);
  const testing::meeting_point here;
  auto f = pool.submit([](const std::string& path) { return testing::meet(path, 5); }, here.path());
  REQUIRE(eventually([&] { return here.arrived() == 1; }));
  for (const auto& n : pool.nodes()) ::kill(n.pid, SIGSTOP);
  REQUIRE(eventually([&] { return log.count(fmap::node_event_kind::lost) >= 2; }));
  CHECK(log.count(fmap::node_event_kind::quiet) >= 1);
  CHECK_THAT(log.reasons(), Catch::Contains("it was silent for 3 s"));
  REQUIRE(eventually([&] { return here.arrived() >= 2; }));
  here.open();
  CHECK(f.get() == 5);
}

TEST_CASE("nodes: a node whose pool is gone ends, and so do its processes") {
  std::vector<pid_t> agents, workers;
  int status = 0;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    ::setenv("FMAP_TEST_PIPE", std::to_string(ends[1]).c_str(), 1);
    ::execl(self.c_str(), self.c_str(), "nodes: (hidden) a pool that waits to be killed", nullptr);
    ::_exit(99);
  }
  ::close(ends[1]);
  pid_t pid = 0;
  while (::read(ends[0], &pid, sizeof pid) == sizeof pid && pid != 0)
    (agents.empty() ? agents : workers).push_back(pid);
  ::close(ends[0]);
  REQUIRE(agents.size() == 1);
  REQUIRE_FALSE(workers.empty());
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  CHECK(eventually([&] { return !testing::alive(agents.front()); }));
  for (const pid_t w : workers) CHECK(eventually([&] { return !testing::alive(w); }));
}

TEST_CASE("nodes: (hidden) a pool that waits to be killed", "[.]") {
  const int to = std::atoi(std::getenv("FMAP_TEST_PIPE"));
  fmap::node_pool pool{{.launch = node_commands(1)}};
  pool.wait_for_nodes(1, 60s);
  CHECK(pool.submit(twice, 1).get() == 2);
  std::vector<pid_t> told{pool.nodes().front().pid};
  for (const pid_t w : testing::children_of(told.front())) told.push_back(w);
  told.push_back(0);
  for (const pid_t p : told)
    if (::write(to, &p, sizeof p) != sizeof p) return;
  for (;;) ::pause();
}

TEST_CASE("nodes: an item that runs for too long ends, and the node does not") {
  fmap::node_pool pool{{.launch = node_commands(1)}};
  pool.wait_for_nodes(1, 60s);
  constexpr auto stuck_at_5 = [](int x) {
    while (x == 5) ::pause();
    return x;
  };
  fmap::map_options options{.buffersize = 8};
  options.item_timeout = 1s;
  fmap::future_map m{pool, stuck_at_5, std::views::iota(0, 20), options};
  int values = 0;
  for (auto& o : m.outcomes()) {
    if (o.has_value()) {
      ++values;
      continue;
    }
    CHECK(o.index() == 5);
    CHECK_THROWS_AS(o.value(), fmap::item_timeout);
  }
  CHECK(values == 19);
  CHECK(pool.nodes().front().lives == 1);
}
