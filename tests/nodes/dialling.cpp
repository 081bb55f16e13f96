// SPDX-License-Identifier: BSD-3-Clause
// Nodes that dial in, over sockets of this machine.
#include "support/dialling.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <list>
#include <memory>
#include <ranges>
#include <sstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/node_pool.hpp>

#include "src/remote/link/sockets.hpp"
#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/eventually.hpp"
#include "support/nodes.hpp"

using namespace std::chrono_literals;
using fmap::node_event_kind;
using fmap::node_state;
using testing::dialled_node;
using testing::eventually;
using testing::message_of;

namespace {

constexpr auto squared = [](int x) { return x * x; };

fmap::node_pool_options listening(const std::string& where) { return {.listen = where}; }

std::vector<std::string> dials(const std::string& where, const std::string& name) {
  return {"--fmap-node=" + where, "--fmap-name=" + name, "--fmap-workers=1"};
}

/// Sockets of this process on which it listens.
int listening_sockets() {
  std::vector<std::string> listening;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream in{table};
    for (std::string line; std::getline(in, line);) {
      std::istringstream fields{line};
      std::vector<std::string> f{std::istream_iterator<std::string>{fields}, {}};
      if (f.size() > 9 && f[3] == "0A") listening.push_back("socket:[" + f[9] + "]");
    }
  }
  int result = 0;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    result += std::count(listening.begin(), listening.end(), target) != 0 ? 1 : 0;
  }
  return result;
}

}  // namespace

TEST_CASE("dialling: nodes dial in over a Unix socket, work, and are sent home") {
  const testing::folder here;
  const std::string where = "unix:" + (here / "pool");
  const testing::belongings before;
  {
    fmap::node_pool pool{listening(where)};
    CHECK(pool.address() == where);
    CHECK((std::filesystem::status(here / "pool").permissions() & std::filesystem::perms::mask)
          == std::filesystem::perms{0600});
    dialled_node a{dials(where, "a")}, b{dials(where, "b")};
    CHECK(pool.wait_for_nodes(2, 60s) == 2);
    CHECK(pool.workers() == 2);
    fmap::future_map m{pool, squared, std::views::iota(0, 5000), 64};
    CHECK(testing::sorted(m).size() == 5000);
    for (const fmap::node_info& n : pool.nodes()) {
      CHECK((n.name == "a" || n.name == "b"));
      CHECK(n.command.empty());
      CHECK(n.state == node_state::ready);
      CHECK(n.lives == 1);
    }
    pool.shutdown({.send_home = true});
    CHECK(a.wait() == 0);
    CHECK(b.wait() == 0);
    CHECK_THAT(a.said(), Catch::Contains("node a joined " + where));
  }
  CHECK_FALSE(std::filesystem::exists(here / "pool"));
  CHECK(eventually([&] { return testing::belongings{}.no_more_than(before); }));
}

TEST_CASE("dialling: a node serves one pool after the other, and finds each by itself") {
  const testing::folder here;
  const std::string where = "unix:" + (here / "pool");
  dialled_node node{dials(where, "n")};
  pid_t agent = 0;
  for (int round = 0; round != 3; ++round) {
    fmap::node_pool pool{listening(where)};
    REQUIRE(pool.wait_for_nodes(1, 60s) == 1);
    CHECK(pool.submit(squared, round).get() == round * round);
    agent = pool.nodes().front().pid;
    CHECK(agent == node.pid());
  }
  // Nothing is left of its lives but the agent: no processes that nobody waits for.
  CHECK(eventually([&] { return testing::children_of(agent).empty(); }));
  node.kill(SIGTERM);
  CHECK(node.wait() == 0);
}

TEST_CASE("dialling: a node that is killed and started again has its place and its name again") {
  const testing::folder here;
  const std::string where = "unix:" + (here / "pool");
  testing::event_log log;
  fmap::node_pool pool{{.listen = where, .on_event = log.listener()}};
  auto node = std::make_unique<dialled_node>(dials(where, "n"));
  pool.wait_for_nodes(1, 60s);
  fmap::future_map m{pool, squared, std::views::iota(0, 20'000), 64};
  auto it = m.begin();
  node->kill(SIGKILL);
  REQUIRE(eventually([&] { return log.count(node_event_kind::lost) == 1; }));
  REQUIRE(pool.nodes().size() == 1);
  CHECK(pool.nodes().front().state == node_state::gone);
  node = std::make_unique<dialled_node>(dials(where, "n"));
  int values = 1;
  while (++it != m.end()) ++values;
  CHECK(values == 20'000);
  REQUIRE(pool.nodes().size() == 1);
  CHECK(pool.nodes().front().lives == 2);
}

TEST_CASE("dialling: a second node of the same name is refused, and does not come again") {
  const testing::folder here;
  const std::string where = "unix:" + (here / "pool");
  testing::event_log log;
  fmap::node_pool pool{{.listen = where, .on_event = log.listener()}};
  dialled_node first{dials(where, "n")};
  pool.wait_for_nodes(1, 60s);
  dialled_node second{dials(where, "n")};
  CHECK(second.wait() == 3);
  CHECK_THAT(second.said(), Catch::Contains("a node with the name n is here already"));
  CHECK(eventually([&] { return log.count(node_event_kind::refused) == 1; }));
  CHECK(pool.submit(squared, 3).get() == 9);
}

TEST_CASE("dialling: more nodes than may be here are told to come later") {
  const testing::folder here;
  const std::string where = "unix:" + (here / "pool");
  testing::event_log log;
  fmap::node_pool pool{{.listen = where, .max_nodes = 1, .on_event = log.listener()}};
  dialled_node first{dials(where, "a")};
  pool.wait_for_nodes(1, 60s);
  dialled_node second{dials(where, "b")};
  CHECK(eventually([&] { return log.count(node_event_kind::refused) == 1; }));
  CHECK_THAT(log.reasons(), Catch::Contains("as many as may be"));
  CHECK(testing::alive(second.pid()));
  second.kill(SIGTERM);
  CHECK(second.wait() == 0);
}

TEST_CASE(
    "dialling: those who say nothing, or nonsense, keep nobody out and leave nothing behind") {
  testing::event_log log;
  fmap::node_pool pool{{.listen = "127.0.0.1:0",
                        .insecure = true,
                        .join_timeout = 300ms,
                        .on_event = log.listener()}};
  dialled_node first{dials(pool.address(), "first")};
  pool.wait_for_nodes(1, 60s);
  const testing::belongings before;
  std::string why;
  const auto address = fmap::remote::parse_address(pool.address());
  std::list<fmap::remote::descriptor> silent;
  for (int i = 0; i != 200; ++i) {
    silent.push_back(fmap::remote::dial(address, 5s, -1, why));
    REQUIRE(silent.back().get() >= 0);
    if (i % 2 == 0) REQUIRE(::write(silent.back().get(), "GET / HTTP/1.1\r\n\r\n", 18) > 0);
  }
  dialled_node good{dials(pool.address(), "good")};
  CHECK(pool.wait_for_nodes(2, 30s) == 2);
  CHECK(pool.submit(squared, 3).get() == 9);
  good.kill(SIGTERM);
  CHECK(good.wait() == 0);
  silent.clear();
  CHECK(eventually([&] { return testing::belongings{}.no_more_than(before); }));
  CHECK_THAT(message_of<fmap::timeout_error>([&] { pool.wait_for_nodes(2, 1ms); }),
             Catch::Contains("1 of 2 nodes are ready") && Catch::Contains("refused: ")
                 && Catch::Contains("last from 127.0.0.1"));
}

TEST_CASE("dialling: what others could reach needs certificates") {
  const auto refused = [](fmap::node_pool_options o) {
    return message_of<std::invalid_argument>([&] { fmap::node_pool{o}; });
  };
  CHECK_THAT(refused({.listen = "0.0.0.0:0"}),
             Catch::Contains("which others can reach: give it tls, or insecure = true"));
  CHECK_THAT(refused({.listen = "127.0.0.1:0"}),
             Catch::Contains("which other users of this machine can reach"));
  CHECK_THAT(refused({.listen = "nonsense"}), Catch::Contains("write HOST:PORT or unix:/path"));
  CHECK_THAT(refused({}), Catch::Contains("no node can ever come"));
  CHECK_THAT(refused({.tls = fmap::temporary_tls, .launch = {"true"}}),
             Catch::Contains("give listen, too"));
  fmap::node_pool quiet{{.launch = {testing::node_command(1)}}};
  CHECK(listening_sockets() == 0);
  CHECK(quiet.address().empty());
  CHECK_THROWS_AS(quiet.write_join_file("/tmp/nowhere"), std::logic_error);
  fmap::node_pool open{{.listen = "127.0.0.1:0", .insecure = true}};
  CHECK(listening_sockets() == 1);
}

TEST_CASE("dialling: a pool to which no node comes is broken after the time that it was given") {
  const testing::folder here;
  fmap::node_pool pool{{.listen = "unix:" + (here / "pool"), .no_nodes_timeout = 200ms}};
  auto f = pool.submit(squared, 3);
  try {
    f.get();
    FAIL("nothing was thrown");
  } catch (const fmap::broken_pool& e) {
    CHECK_THAT(message_of(e.cause()), Catch::Contains("no node was ready for 0.2 s"));
  }
}

TEST_CASE("dialling: a node that finds no pool gives up, and one whose time is over leaves") {
  const testing::folder here;
  const std::string where = "unix:" + (here / "pool");
  dialled_node alone{{"--fmap-node=" + where, "--fmap-give-up=1", "--fmap-name=alone"}};
  CHECK(alone.wait() == 75);
  CHECK_THAT(alone.said(),
             Catch::Contains("node alone is without a pool") && Catch::Contains("gives up after"));

  testing::event_log log;
  fmap::node_pool pool{{.listen = where, .on_event = log.listener()}};
  // It leaves 5 s before it would have to finish: after one second.
  dialled_node brief{{},
                     {"FMAP_NODE=" + where, "FMAP_LIFETIME=7", "FMAP_DRAIN=1", "FMAP_NAME=brief"}};
  CHECK(brief.wait() == 0);
  CHECK(eventually([&] { return log.count(node_event_kind::left) == 1; }));
  CHECK_THAT(log.reasons(), Catch::Contains("its time is over soon"));
}

TEST_CASE("dialling: what a node was started with is not for what its items start") {
  const testing::folder here;
  const std::string where = "unix:" + (here / "pool");
  fmap::node_pool pool{
      {.listen = where, .processes = {.environment = {"FMAP_TEST_GIVEN=yes", "ELSE=1"}}}};
  dialled_node node{{}, {"FMAP_NODE=" + where, "FMAP_WORKERS=1"}};
  auto f = pool.submit([] {
    const auto text = [](const char* name) {
      const char* const value = std::getenv(name);
      return std::string{value != nullptr ? value : "none"};
    };
    return text("FMAP_NODE") + " " + text("FMAP_TEST_GIVEN") + " " + text("ELSE");
  });
  CHECK(f.get() == "none yes 1");
}

TEST_CASE("dialling: with temporary certificates the join file is all that a node needs") {
  const testing::folder here;
  const std::string join = here / "join";
  testing::event_log log;
  fmap::node_pool pool{
      {.listen = "127.0.0.1:0", .tls = fmap::temporary_tls, .on_event = log.listener()}};
  pool.write_join_file(join);
  CHECK((std::filesystem::status(join).permissions() & std::filesystem::perms::mask)
        == std::filesystem::perms{0600});
  dialled_node a{dials("@" + join, "a")}, b{dials("@" + join, "b")};
  CHECK(pool.wait_for_nodes(2, 60s) == 2);
  fmap::future_map m{pool, squared, std::views::iota(0, 20'000), 256};
  CHECK(testing::sorted(m).size() == 20'000);
  const std::string large =
      pool.submit([](const std::string& s) { return s + s; }, std::string(3'000'000, 'x')).get();
  CHECK(large.size() == 6'000'000);
  CHECK_THAT(pool.nodes().front().certificate, Catch::EndsWith("-node"));

  // Nobody else's certificate will do, nor none.
  fmap::node_pool other{{.listen = "127.0.0.1:0", .tls = fmap::temporary_tls}};
  const std::string forged = here / "forged";
  other.write_join_file(forged);
  std::string text = testing::content_of(forged);
  const std::string theirs = "address " + other.address();
  REQUIRE(text.find(theirs) != std::string::npos);
  text.replace(text.find(theirs), theirs.size(), "address " + pool.address());
  std::ofstream{forged} << text;
  dialled_node stranger{dials("@" + forged, "stranger")};
  CHECK(stranger.wait() == 3);
  CHECK_THAT(stranger.said(), Catch::Contains("certificate of another CA"));
  dialled_node naked{{"--fmap-node=" + pool.address(), "--fmap-give-up=1"}};
  CHECK(naked.wait() == 75);
  CHECK(pool.submit(squared, 3).get() == 9);
  CHECK_THAT(message_of<fmap::timeout_error>([&] { pool.wait_for_nodes(3, 1ms); }),
             Catch::Contains("2 of 3 nodes are ready") && Catch::Contains("refused: "));
}
