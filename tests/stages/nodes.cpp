// SPDX-License-Identifier: BSD-3-Clause
// Two nodes in one process, over CAF's middleman: a stage there, its neighbours here.
#include <cstdint>
#include <memory>
#include <string>

#include <caf/io/all.hpp>

#include <fmap/actor.hpp>
#include <fmap/stage.hpp>

#include "support/catch.hpp"
#include "support/puppet.hpp"

using namespace testing;

namespace {

struct networked_config : caf::actor_system_config {
  networked_config() {
    know_types_of_middleman();
    load<caf::io::middleman>();
    fmap::add_message_types(*this);
  }
};

/// One node.
struct node {
  networked_config config;
  caf::actor_system system{config};

  std::uint16_t publish(const caf::actor& who) {
    const auto port = system.middleman().publish(who, 0, "127.0.0.1");
    REQUIRE(port);
    return *port;
  }

  caf::actor remote(std::uint16_t port) {
    const auto who = system.middleman().remote_actor("127.0.0.1", port);
    REQUIRE(who);
    return *who;
  }
};

int twice(int x) {
  if (x == 13) throw std::runtime_error{"thirteen"};
  return 2 * x;
}

}  // namespace

TEST_CASE("a stage on another node") {
  node there, here;
  const caf::actor stage =
      fmap::spawn_stage<int, int>(there.system, twice, {.workers = 1, .buffersize = 4});
  const caf::actor proxy = here.remote(there.publish(stage));
  puppet up{here.system}, down{here.system};
  down.tells(proxy, fmap::attach_sink{});
  down.tells(proxy, fmap::demand{10});
  up.tells(proxy, fmap::attach_source{});
  CHECK(up.heard(1) == lines{"demand 4"});
  SECTION("items, a failure and the end") {
    up.tells(proxy, 12);
    CHECK(down.heard(1) == lines{"24"});
    up.tells(proxy, 13);
    CHECK(down.heard(1) == lines{"failure 1 thirteen"});
    up.tells(proxy, fmap::end{caf::make_error(caf::sec::runtime_error, "enough")});
    CHECK(down.heard(1) == lines{"end: enough"});
  }
  SECTION("the stage is ended") {
    caf::anon_send_exit(stage, caf::exit_reason::user_shutdown);
    CHECK(down.heard(1) == lines{"end: user_shutdown"});
    CHECK(up.heard(1) == lines{"stop: user_shutdown"});
  }
  SECTION("the upstream dies") {
    up.tells(proxy, 1);
    up.dies(death::error);
    const lines heard = down.heard(2);
    REQUIRE(heard.size() == 2);
    CHECK(heard[0] == "2");
    CHECK(heard[1] == "end: ill");
  }
  SECTION("the downstream dies") {
    down.dies(death::exit_message);
    CHECK(up.heard(1) == lines{"stop: kill"});
  }
}

TEST_CASE("ready-made ends here, a stage there") {
  node there, here;
  const caf::actor stage =
      fmap::spawn_stage<int, int>(there.system, [](int x) { return x + 1; }, {.buffersize = 16});
  const caf::actor proxy = here.remote(there.publish(stage));
  long sum = 0;
  const caf::actor source = fmap::spawn_source(here.system, std::views::iota(0, 500)),
                   sink = fmap::spawn_sink<int>(here.system, [&](int x) { sum += x; });
  const obituary end{sink};
  fmap::connect(source, proxy);
  fmap::connect(proxy, sink);
  CHECK(end.awaited() == "");
  CHECK(sum == 125250);
}

TEST_CASE("connected to a stage of another type on another node, both ends hear why") {
  node there, here;
  const caf::actor stage =
      fmap::spawn_stage<std::string, std::string>(there.system, [](std::string s) { return s; });
  const caf::actor proxy = here.remote(there.publish(stage));
  const caf::actor source = fmap::spawn_source(here.system, std::views::iota(0, 500)),
                   sink = fmap::spawn_sink<std::string>(here.system, [](const std::string&) {});
  const obituary end{sink}, end_of_source{source};
  fmap::connect(source, proxy);
  fmap::connect(proxy, sink);
  const std::string why =
      "fmap: the upstream sends items of type int, and the stage takes std::string";
  CHECK(end_of_source.awaited() == why);
  CHECK(end.awaited() == why);
}

TEST_CASE("connected to a stage on another node that has ended, a sink ends") {
  node there, here;
  caf::actor stage = fmap::spawn_stage<int, int>(there.system, twice, {.workers = 1});
  const caf::actor proxy = here.remote(there.publish(stage));
  caf::anon_send_exit(stage, caf::exit_reason::user_shutdown);
  const caf::actor sink = fmap::spawn_sink<int>(here.system, [](int) {});
  const obituary end{sink};
  fmap::connect(proxy, sink);
  CHECK(end.awaited() != "alive");
}

TEST_CASE("a map over an actor on another node, which is lost in the middle") {
  auto there = std::make_unique<node>();
  node here;
  std::atomic<int> asked{0};
  caf::actor actor = there->system.spawn([&asked](caf::event_based_actor* self) -> caf::behavior {
    return {[self, &asked, kept = std::vector<caf::response_promise>{}](int x) mutable {
      kept.push_back(self->make_response_promise());
      if (++asked <= 20) kept.back().deliver(x);
      return kept.back();
    }};
  });
  const caf::actor proxy = here.remote(there->publish(actor));
  fmap::future_map<int> map{here.system, proxy, std::views::iota(0), 4};
  std::thread killer{[&] {
    eventually([&] { return asked == 24; });
    caf::anon_send_exit(actor, caf::exit_reason::kill);
    actor = nullptr;
    there.reset();
  }};
  int good = 0, lost = 0;
  for (auto& outcome : map.outcomes()) (outcome.has_value() ? good : lost)++;
  killer.join();
  CHECK(good == 20);
  CHECK(lost >= 4);
}
