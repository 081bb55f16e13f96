// SPDX-License-Identifier: BSD-3-Clause
// The parts of a node that decide: addresses, join files, flags, and what one life leaves to the next.
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "src/remote/door/node_roster.hpp"
#include "src/remote/host/comeback.hpp"
#include "src/remote/host/host_options.hpp"
#include "src/remote/link/address.hpp"
#include "src/remote/link/join_file.hpp"
#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/dialling.hpp"

using namespace std::chrono_literals;
using namespace fmap::remote;
using testing::message_of;

namespace {

std::string wrong_address(const std::string& text) {
  return message_of<std::invalid_argument>([&] { parse_address(text); });
}

std::map<std::string, std::string> set_variables;

std::string variable(const std::string& name) { return set_variables[name]; }

host_options options_of(std::vector<std::string> flags, std::chrono::nanoseconds alive = {}) {
  flags.insert(flags.begin(), "program");
  std::vector<char*> argv;
  for (std::string& f : flags) argv.push_back(f.data());
  return host_options_of(static_cast<int>(argv.size()), argv.data(), variable, alive);
}

std::string wrong_flags(const std::vector<std::string>& flags) {
  return message_of<std::invalid_argument>([&] { options_of(flags); });
}

caller_id caller_named(std::string name, std::uint64_t incarnation = 1) {
  return {.name = std::move(name),
          .host = "h",
          .from = "h:1",
          .certificate = {},
          .pid = 7,
          .incarnation = {incarnation, 0}};
}

using admission = node_roster::admission::kind;

}  // namespace

TEST_CASE("address: hosts, ports and paths, there and back") {
  for (const char* text : {"host:4711", "10.0.0.1:0", "[::1]:65535", "unix:/run/pool", ":80"})
    CHECK(to_string(parse_address(text)) == text);
  CHECK(parse_address("[fe80::1]:5") == address{"fe80::1", "5"});
  CHECK(parse_address("unix:/a").is_unix());
  CHECK(parse_addresses("a:1,[::]:2,unix:/b").size() == 3);
  CHECK_THAT(wrong_address("host"), Catch::Contains("write HOST:PORT"));
  CHECK_THAT(wrong_address("host:"), Catch::Contains("a port is a number"));
  CHECK_THAT(wrong_address("host:65536"), Catch::Contains("a port is a number"));
  CHECK_THAT(wrong_address("host:80x"), Catch::Contains("a port is a number"));
  CHECK_THAT(wrong_address("::1:80"), Catch::Contains("in brackets"));
  CHECK_THAT(wrong_address("[]:80"), Catch::Contains("[IPv6 address]:PORT"));
  CHECK_THAT(wrong_address("a b:80"), Catch::Contains("no blanks"));
  CHECK_THAT(wrong_address("unix:pool"), Catch::Contains("an absolute path"));
  CHECK_THAT(wrong_address("unix:/" + std::string(200, 'x')), Catch::Contains("at most 107 bytes"));
}

TEST_CASE("join file: as a text, there and back; what is no join file is refused") {
  join_file j{{{"10.0.0.1", "4711"}, {"::1", "5"}}, "pool", {"c\n", "k\n", "a\n", {}}};
  const auto same = [](const join_file& a, const join_file& b) {
    return a.addresses == b.addresses && a.name == b.name && a.node.ca == b.node.ca
           && a.node.certificate == b.node.certificate && a.node.key == b.node.key;
  };
  const std::string text = to_text(j);
  CHECK(same(parse_join_file(text), j));
  const join_file bare{{{"h", "1"}}};
  CHECK(same(parse_join_file(to_text(bare)), bare));
  CHECK_FALSE(parse_join_file(to_text(bare)).has_certificate());
  // Cut anywhere it is refused, or it is about as much as stands there in whole lines.
  int refused = 0;
  for (std::size_t n = 0; n != text.size() - 1; ++n) {
    try {
      const join_file part = parse_join_file(text.substr(0, n));
      CHECK_FALSE(part.has_certificate());
    } catch (const std::invalid_argument& e) {
      CHECK_THAT(e.what(), Catch::StartsWith("fmap: "));
      ++refused;
    }
  }
  CHECK(refused > 50);
  const testing::folder here;
  write_join_file(j, here / "join");
  CHECK(same(read_join_file(here / "join"), j));
  CHECK_THROWS_AS(write_join_file(j, here / "nowhere/join"), std::system_error);
  CHECK_THAT(message_of<std::invalid_argument>([&] { read_join_file(here / "none"); }),
             Catch::Contains("cannot be read"));
}

TEST_CASE("node flags: each has a variable, the flag counts more, and what is wrong is named") {
  set_variables = {};
  CHECK_FALSE(options_of({"--fmap-node=-"}).dials());
  const auto o = options_of({"--other", "--fmap-node=a:1,b:2", "--fmap-name=n", "--fmap-workers=3",
                             "--fmap-drain=7", "--fmap-give-up=0", "--fmap-quiet"});
  CHECK(o.pool.size() == 2);
  CHECK(o.agent.name == "n");
  CHECK(o.agent.workers == 3);
  CHECK(o.agent.drain == 7s);
  CHECK(o.give_up == 0s);
  CHECK(o.quiet);
  CHECK_FALSE(o.leave_after);
  set_variables = {{"FMAP_NODE", "unix:/p"}, {"FMAP_NAME", "v"}, {"FMAP_GIVE_UP", "9"}};
  CHECK(options_of({}).pool.front().is_unix());
  CHECK(options_of({}).agent.name == "v");
  CHECK(options_of({"--fmap-name=f"}).agent.name == "f");
  CHECK(options_of({}).give_up == 9s);
  CHECK(*options_of({"--fmap-lifetime=100", "--fmap-drain=20"}, 10s).leave_after == 65s);
  CHECK(*options_of({"--fmap-lifetime=10", "--fmap-drain=20"}).leave_after == 0s);
  set_variables = {};
  CHECK_THAT(wrong_flags({"--fmap-node=-", "--fmap-wokers=3"}),
             Catch::Contains("the nearest that is known is --fmap-workers"));
  CHECK_THAT(wrong_flags({"--fmap-node=-", "--fmap-workers"}), Catch::Contains("needs a value"));
  CHECK_THAT(wrong_flags({"--fmap-node=-", "--fmap-workers=0"}),
             Catch::Contains("--fmap-workers=0: give a number from 1 to 1024"));
  CHECK_THAT(wrong_flags({"--fmap-node=:1"}), Catch::Contains("a node needs the pool's host"));
  CHECK_THAT(wrong_flags({"--fmap-node=h"}), Catch::Contains("write HOST:PORT"));
  CHECK_THAT(wrong_flags({"--fmap-node=h:1", "--fmap-tls-key=k"}),
             Catch::Contains("are needed together"));
}

TEST_CASE("comeback: a life leaves all of it to the next, and pauses grow") {
  heritage h{
      {1, ~std::uint64_t{0}}, heritage::clock::time_point{5ns}, heritage::clock::time_point{7s}, 3};
  CHECK(parse_heritage(to_text(h)) == h);
  CHECK(parse_heritage("1 2 nonsense").incarnation != parse_heritage("").incarnation);
  CHECK(pause_before(0, 1.0) == 100ms);
  CHECK(pause_before(1, 1.0) == 200ms);
  CHECK(pause_before(1, 0.5) == 100ms);
  CHECK(pause_before(20, 1.0) == 30s);
  CHECK(pause_before(~0u, 0.0) == 0ms);
}

TEST_CASE("roster: who dials in gets a place, has one name, and at most so many are here") {
  node_roster roster{{"command"}, 3, true, nullptr};
  const auto first = roster.admit(caller_named("a"));
  CHECK(first.what == admission::let_in);
  CHECK(first.place == 1);
  CHECK(roster.admit(caller_named("a", 2)).what == admission::taken);
  CHECK(roster.admit(caller_named("b")).place == 2);
  CHECK(roster.admit(caller_named("c")).place == 3);
  CHECK(roster.admit(caller_named("d")).what == admission::full);
  roster.ends(2, fmap::node_event_kind::lost, "gone");
  CHECK(roster.all()[2].state == fmap::node_state::gone);
  CHECK(roster.admit(caller_named("b", 9)).place == 2);
  // Places are not more than nodes that may be here: the one that has been gone the longest is forgotten.
  roster.ends(3, fmap::node_event_kind::left, "left");
  roster.ends(1, fmap::node_event_kind::left, "left");
  CHECK(roster.admit(caller_named("e")).place == 3);
  CHECK(roster.all().size() == 4);
  CHECK(roster.all()[3].name == "e");
  CHECK_FALSE(roster.nobody_comes());
}

TEST_CASE("roster: a node that comes again cuts off its own last life, and is let in after that") {
  node_roster roster{{}, 10, true, nullptr};
  CHECK(roster.admit(caller_named("a", 5)).place == 0);
  CHECK(roster.admit(caller_named("a", 5)).what == admission::ghost);
  CHECK(roster.wished(0).cut);
  CHECK_FALSE(roster.wished(0).cut);
  roster.ends(0, fmap::node_event_kind::lost, "it comes again");
  const auto again = roster.admit(caller_named("a", 5));
  CHECK(again.what == admission::let_in);
  CHECK(again.place == 0);
  CHECK_FALSE(roster.wished(0).cut);
}

TEST_CASE("roster: refusals are counted by reason, and told once a second") {
  int told = 0;
  node_roster roster{{}, 10, true, [&](const fmap::node_event&) { ++told; }};
  const fmap::node_event event{fmap::node_event_kind::refused, "n", {}, "why", "h:1"};
  for (int i = 0; i != 100; ++i) roster.refused("no TLS", "10.0.0.7", event);
  roster.refused("silent", "10.0.0.8", event);
  CHECK(told < 10);
  CHECK(told >= 2);
  CHECK(roster.troubles() == "refused: 101 (100 no TLS, 1 silent; last from 10.0.0.8)");
  for (int i = 0; i != 100; ++i) roster.refused("kind " + std::to_string(i), "x", event);
  CHECK_THAT(roster.troubles(), Catch::Contains(" other, ") || Catch::Contains(" other;"));
}
