// SPDX-License-Identifier: BSD-3-Clause
// Who is told and who ends when a neighbour of a stage, or the stage itself, dies: the rows of the table
// in docs/stages.md that can be played step by step.
#include <optional>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/stepped_stage.hpp"

using namespace testing;

namespace {

constexpr auto same = [](int x) { return x; };
constexpr death all_deaths[] = {death::normal, death::error, death::exit_message};

caf::error trouble(const std::string& what) {
  return caf::make_error(caf::sec::runtime_error, what);
}

}  // namespace

TEST_CASE("upstream dies before its end: the stage finishes what it has and passes the reason on") {
  for (const death how : all_deaths) {
    stage_rig rig;
    rig.start(same, rig.bound(4));
    const obituary life{rig.stage};
    rig.attach();
    rig.send(1, 3);
    rig.up.dies(how);
    rig.settle();
    CHECK(life.alive());
    rig.down.tells(rig.stage, fmap::demand{3});
    rig.settle();
    const std::string reason = reason_of(how, "the upstream");
    CHECK(rig.down.heard() == lines{"1", "2", "3", "end: " + reason});
    CHECK(life.reason() == reason);
    CHECK(rig.down.alive());
  }
}

TEST_CASE("upstream dies after its end: that is all right") {
  for (const death how : all_deaths) {
    stage_rig rig;
    rig.start(same, rig.bound(4));
    rig.attach();
    rig.send(1, 1);
    rig.up.tells(rig.stage, fmap::end{});
    rig.up.dies(how);
    rig.settle();
    rig.down.tells(rig.stage, fmap::demand{9});
    rig.settle();
    CHECK(rig.down.heard() == lines{"1", "end"});
  }
}

TEST_CASE("upstream had died before it was attached: the stage has no items") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  rig.down.tells(rig.stage, fmap::attach_sink{});
  rig.up.tells(rig.stage, fmap::attach_source{});
  rig.up.dies(death::error);
  rig.settle();
  CHECK(rig.down.heard() == lines{"end: ill"});
}

TEST_CASE(
    "downstream dies: the stage ends, upstream is told to stop, what is in flight is dropped") {
  for (const death how : all_deaths) {
    stage_rig rig;
    rig.start(same, rig.bound(4));
    const obituary life{rig.stage};
    rig.attach();
    rig.send(1, 3);
    rig.down.dies(how);
    rig.settle();
    const std::string reason = how == death::normal ? "" : reason_of(how, "the downstream");
    CHECK(rig.up.heard() == lines{reason.empty() ? "stop" : "stop: " + reason});
    CHECK(life.reason() == reason);
    rig.up.tells(rig.stage, 4);
    rig.up.tells(rig.stage, fmap::end{});
    rig.settle();
    CHECK(rig.up.heard().empty());
    CHECK(rig.up.alive());
  }
}

TEST_CASE("downstream dies after upstream's end: nobody needs to be told") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  const obituary life{rig.stage};
  rig.attach();
  rig.send(1, 3);
  rig.up.tells(rig.stage, fmap::end{});
  rig.settle();
  rig.down.dies(death::exit_message);
  rig.settle();
  CHECK(rig.up.heard().empty());
  CHECK(life.reason() == "kill");
  CHECK(rig.up.alive());
}

TEST_CASE("the stage is ended: both neighbours are told, and live on") {
  for (const std::string how : {"kill", "user_shutdown", "trouble"}) {
    stage_rig rig;
    rig.start(same, rig.bound(4));
    const obituary life{rig.stage};
    rig.attach();
    rig.send(1, 3);
    if (how == "kill")
      caf::anon_send_exit(rig.stage, caf::exit_reason::kill);
    else if (how == "user_shutdown")
      caf::anon_send_exit(rig.stage, caf::exit_reason::user_shutdown);
    else
      fmap::actors::post(rig.stage, trouble("trouble"));
    rig.settle();
    CHECK(life.reason() == how);
    CHECK(rig.up.heard() == lines{"stop: " + how});
    CHECK(rig.down.heard() == lines{"end: " + how});
    CHECK(rig.all_alive());
  }
}

TEST_CASE("the last handle to a stage is dropped: both neighbours are told") {
  const std::string reason = "fmap: the stage ended before its work was done" + no_handle;
  const int items = GENERATE(0, 3);
  stage_rig rig;
  rig.start(same, rig.bound(4));
  const obituary life{rig.stage};
  rig.attach();
  rig.send(1, items);
  rig.drop(rig.stage);
  CHECK_FALSE(life.alive());
  CHECK(rig.up.heard() == lines{"stop: " + reason});
  CHECK(rig.down.heard() == lines{"end: " + reason});
  CHECK(rig.all_alive());
}

TEST_CASE("a stage that nobody was ever attached to goes with its last handle") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  const obituary life{rig.stage};
  rig.settle();
  CHECK(life.alive());
  rig.drop(rig.stage);
  CHECK_FALSE(life.alive());
}

TEST_CASE("a linked actor goes down with a stage, as it asked for") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  rig.attach();
  fmap::actors::post(rig.stranger.actor(),
                     command{[s = rig.stage](caf::event_based_actor* self) { self->link_to(s); }});
  rig.settle();
  caf::anon_send_exit(rig.stage, caf::exit_reason::kill);
  rig.settle();
  CHECK_FALSE(rig.stranger.alive());
  CHECK(rig.up.alive());
  CHECK(rig.down.alive());
}

TEST_CASE("a worker is ended: another one takes over, and no item is lost") {
  stage_rig rig;
  rig.start(same, rig.bound(4, true));
  rig.attach();
  rig.send(1, 3);
  rig.world.kill(rig.world.named("fmap.worker").at(0));
  rig.settle();
  rig.down.tells(rig.stage, fmap::demand{9});
  rig.settle();
  rig.send(4, 3);
  CHECK(rig.down.heard() == lines{"1", "2", "3", "4", "5", "6"});
  CHECK(rig.all_alive());
}

TEST_CASE("the pool's supervisor is ended: the pool is broken, both neighbours are told") {
  stage_rig rig;
  rig.start(same, rig.bound(4, true));
  const obituary life{rig.stage};
  rig.attach();
  rig.send(1, 2);
  rig.world.kill(rig.world.named("fmap.supervisor").at(0));
  rig.settle();
  rig.down.tells(rig.stage, fmap::demand{9});
  rig.settle();
  const lines told = rig.down.heard();
  REQUIRE(told.size() == 3);
  CHECK(told[0] == "1");
  CHECK(told[1] == "2");
  CHECK(told[2].substr(0, 5) == "end: ");
  const lines stopped = rig.up.heard();
  REQUIRE(stopped.size() == 1);
  CHECK(stopped[0].substr(0, 6) == "stop: ");
  CHECK(life.reason() == told[2].substr(5));
  CHECK(rig.all_alive());
}

TEST_CASE("the pool is shut down: what it has is finished, both neighbours are told") {
  stage_rig rig;
  auto pool = rig.pool(1);
  rig.start(pool, false, same, rig.bound(4));
  const obituary life{rig.stage};
  rig.attach();
  const std::string reason = "fmap: the pool was shut down before the map's input was at its end";
  SECTION("while there are items") {
    rig.send(1, 3);
    fmap::actors::pool_port{*pool->box}.shut_down();
    rig.settle();
    rig.down.tells(rig.stage, fmap::demand{9});
    rig.settle();
    CHECK(rig.down.heard() == lines{"1", "2", "3", "end: " + reason});
  }
  SECTION("while there are none") {
    fmap::actors::pool_port{*pool->box}.shut_down();
    rig.settle();
    CHECK(rig.down.heard() == lines{"end: " + reason});
  }
  CHECK(rig.up.heard() == lines{"stop: " + reason});
  CHECK(life.reason() == reason);
  CHECK(rig.all_alive());
}

TEST_CASE("the pool is shut down: items that were under way are dropped, and nobody is blamed") {
  stage_rig rig;
  auto pool = rig.pool(1);
  rig.start(pool, false, same, rig.bound(4));
  rig.attach();
  rig.send(1, 1);
  fmap::actors::pool_port{*pool->box}.shut_down();
  rig.up.tells(rig.stage, 2);
  rig.up.tells(rig.stage, 3);
  rig.up.tells(rig.stage, fmap::end{});
  rig.settle();
  const lines told = rig.up.heard();
  REQUIRE(told.size() == 1);
  CHECK(told[0].substr(0, 6) == "stop: ");
  rig.up.asks(rig.stage, 4);
  rig.settle();
  CHECK(rig.up.heard() == lines{"refused: fmap: the pool takes no more items"});
  rig.down.tells(rig.stage, fmap::demand{9});
  rig.settle();
  CHECK(rig.down.heard() == lines{"1", "end: " + told[0].substr(6)});
  CHECK(rig.all_alive());
}

TEST_CASE("a stage cannot be made on a pool that is shut down") {
  stage_rig rig;
  auto pool = rig.pool(1);
  fmap::actors::pool_port{*pool->box}.shut_down();
  rig.settle();
  CHECK_THROWS_AS(rig.start(pool, false, same, rig.bound(4)), fmap::pool_shutdown);
}

TEST_CASE("a sink's function throws: the sink ends with that, its upstream is told to stop") {
  stage_rig rig;
  const caf::actor sink = rig.start_sink(
      [](int x) {
        if (x == 2) throw std::runtime_error{"no paper"};
      },
      4);
  const obituary life{sink};
  rig.up.tells(sink, fmap::attach_source{});
  rig.settle();
  rig.up.heard();
  SECTION("at an item") {
    for (int i = 1; i != 4; ++i) rig.up.tells(sink, i);
    rig.settle();
    CHECK(life.reason() == "no paper");
  }
  SECTION("which it also does at a failure") {
    rig.up.tells(sink, fmap::failure{5, "bad item"});
    rig.settle();
    CHECK(life.reason() == "fmap: item 5 failed: bad item");
  }
  CHECK(rig.up.heard() == lines{"stop: " + life.reason().value_or("")});
  CHECK(rig.all_alive());
}

TEST_CASE("a sink is ended, or its upstream dies") {
  stage_rig rig;
  int calls = 0;
  caf::actor sink = rig.start_sink([&](int) { ++calls; }, 4);
  const obituary life{sink};
  rig.up.tells(sink, fmap::attach_source{});
  rig.settle();
  rig.up.heard();
  SECTION("by an exit message") {
    caf::anon_send_exit(sink, caf::exit_reason::kill);
    rig.settle();
    CHECK(rig.up.heard() == lines{"stop: kill"});
    CHECK(life.reason() == "kill");
  }
  SECTION("with its last handle") {
    rig.drop(sink);
    CHECK(rig.up.heard()
          == lines{"stop: fmap: the sink ended before its work was done" + no_handle});
    CHECK_FALSE(life.alive());
  }
  SECTION("upstream dies: what has arrived is worked on") {
    rig.up.tells(sink, 1);
    rig.up.tells(sink, 2);
    rig.up.dies(death::error);
    rig.settle();
    CHECK(calls == 2);
    CHECK(life.reason() == "ill");
  }
  SECTION("upstream ends normally with a reason") {
    rig.up.tells(sink, 1);
    rig.up.tells(sink, fmap::end{trouble("no more")});
    rig.settle();
    CHECK(calls == 1);
    CHECK(life.reason() == "no more");
  }
  CHECK(rig.stranger.alive());
}

TEST_CASE("news of a death travels along a chain in both directions") {
  for (const bool upwards : {true, false}) {
    stage_rig rig;
    const caf::actor a = rig.start(same, rig.bound(4)), b = rig.start(same, rig.bound(4)),
                     c = rig.start(same, rig.bound(4));
    const obituary lives[] = {obituary{a}, obituary{b}, obituary{c}};
    fmap::connect(a, b);
    fmap::connect(b, c);
    rig.up.tells(a, fmap::attach_source{});
    rig.down.tells(c, fmap::attach_sink{});
    rig.settle();
    rig.up.heard();
    if (!upwards) rig.up.tells(a, 1);
    (upwards ? rig.down : rig.up).dies(death::exit_message);
    rig.settle();
    if (upwards) {
      CHECK(rig.up.heard() == lines{"stop: kill"});
    } else {
      rig.down.tells(c, fmap::demand{5});
      rig.settle();
      CHECK(rig.down.heard() == lines{"1", "end: kill"});
    }
    for (const auto& life : lives) CHECK(life.reason() == "kill");
  }
}
