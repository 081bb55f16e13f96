// SPDX-License-Identifier: BSD-3-Clause
// A stage between two actors, message by message.
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/seed.hpp"
#include "support/stepped_stage.hpp"

using namespace testing;

namespace {

int twice(int x) {
  if (x == 13) throw std::runtime_error{"thirteen"};
  return 2 * x;
}

}  // namespace

TEST_CASE("a stage asks its upstream for as many items as it may hold, before anybody asks it") {
  stage_rig rig;
  rig.start(twice, rig.bound(5));
  rig.up.tells(rig.stage, fmap::attach_source{});
  rig.settle();
  CHECK(rig.up.heard() == lines{"demand 5"});
  rig.send(1, 5);
  CHECK(rig.up.heard().empty());
  rig.down.tells(rig.stage, fmap::attach_sink{});
  rig.settle();
  CHECK(rig.down.heard().empty());
  rig.down.tells(rig.stage, fmap::demand{2});
  rig.settle();
  CHECK(rig.down.heard() == lines{"2", "4"});
  const lines more = rig.up.heard();
  CHECK((more == lines{"demand 2"} || more == lines{"demand 1", "demand 1"}));
}

TEST_CASE("a sink may be attached, and demand, before there is an upstream") {
  stage_rig rig;
  rig.start(twice, rig.bound(3));
  rig.down.tells(rig.stage, fmap::attach_sink{});
  rig.down.tells(rig.stage, fmap::demand{100});
  rig.settle();
  rig.up.tells(rig.stage, fmap::attach_source{});
  rig.settle();
  CHECK(rig.up.heard() == lines{"demand 3"});
  rig.send(7, 1);
  CHECK(rig.down.heard() == lines{"14"});
}

TEST_CASE(
    "an item that fails arrives as a failure, which uses up demand, and the next ones go on") {
  stage_rig rig;
  rig.start(twice, rig.bound(8, true));
  rig.attach();
  rig.send(12, 3);
  rig.down.tells(rig.stage, fmap::demand{2});
  rig.settle();
  CHECK(rig.down.heard() == lines{"24", "failure 1 thirteen"});
  rig.down.tells(rig.stage, fmap::demand{1});
  rig.settle();
  CHECK(rig.down.heard() == lines{"28"});
}

TEST_CASE("a failure of an earlier stage passes through, in its place and within the bound") {
  const bool ordered = GENERATE(false, true);
  stage_rig rig;
  rig.start(twice, rig.bound(4, ordered));
  rig.attach();
  rig.up.tells(rig.stage, fmap::failure{70, "early"});
  rig.up.tells(rig.stage, 1);
  rig.up.tells(rig.stage, fmap::failure{71, "late"});
  rig.up.tells(rig.stage, 2);
  rig.up.tells(rig.stage, fmap::failure{72, "too much"});
  rig.settle();
  CHECK(rig.up.heard()
        == lines{"refused: fmap: more items than were demanded: this one is dropped"});
  rig.stranger.tells(rig.stage, fmap::failure{73, "strange"});
  rig.settle();
  CHECK(rig.stranger.heard().size() == 1);
  lines got;
  for (int i = 0; i != 4; ++i) {
    rig.down.tells(rig.stage, fmap::demand{1});
    rig.settle();
    const lines one = rig.down.heard();
    REQUIRE(one.size() == 1);
    got.push_back(one[0]);
  }
  if (!ordered) std::sort(got.begin(), got.end());
  CHECK(got
        == (ordered ? lines{"failure 70 early", "2", "failure 71 late", "4"}
                    : lines{"2", "4", "failure 70 early", "failure 71 late"}));
  rig.up.heard();
  rig.up.tells(rig.stage, fmap::failure{74, "last"});
  rig.up.tells(rig.stage, fmap::end{});
  rig.settle();
  CHECK(rig.down.heard().empty());
  rig.down.tells(rig.stage, fmap::demand{1});
  rig.settle();
  CHECK(rig.down.heard() == lines{"failure 74 last", "end"});
}

TEST_CASE("the end comes last, without demand, and the stage ends with it") {
  stage_rig rig;
  rig.start(twice, rig.bound(4));
  const obituary life{rig.stage};
  rig.attach();
  rig.send(1, 2);
  rig.up.tells(rig.stage, fmap::end{});
  rig.settle();
  CHECK(rig.down.heard().empty());
  rig.down.tells(rig.stage, fmap::demand{2});
  rig.settle();
  CHECK(rig.down.heard() == lines{"2", "4", "end"});
  CHECK(life.reason() == "");
  CHECK(rig.up.heard() == lines{});
  CHECK(rig.all_alive());
}

TEST_CASE("the end may come when the stage is full") {
  stage_rig rig;
  rig.start(twice, rig.bound(2));
  rig.attach();
  rig.send(1, 2);
  rig.up.tells(rig.stage, fmap::end{});
  rig.settle();
  rig.down.tells(rig.stage, fmap::demand{5});
  rig.settle();
  CHECK(rig.down.heard() == lines{"2", "4", "end"});
}

TEST_CASE("the reason of an end is passed on") {
  stage_rig rig;
  rig.start(twice, rig.bound(4));
  const obituary life{rig.stage};
  rig.attach();
  rig.send(1, 1);
  rig.up.tells(rig.stage, fmap::end{caf::make_error(caf::sec::runtime_error, "disk full")});
  rig.down.tells(rig.stage, fmap::demand{9});
  rig.settle();
  CHECK(rig.down.heard() == lines{"2", "end: disk full"});
  CHECK(life.reason() == "disk full");
  CHECK(rig.all_alive());
}

TEST_CASE("a stage whose input is over waits for a downstream") {
  stage_rig rig;
  rig.start(twice, rig.bound(4));
  const obituary life{rig.stage};
  rig.up.tells(rig.stage, fmap::attach_source{});
  rig.settle();
  const bool items = GENERATE(true, false);
  if (items) rig.send(1, 1);
  rig.up.tells(rig.stage, fmap::end{});
  rig.settle();
  CHECK(life.alive());
  rig.down.tells(rig.stage, fmap::attach_sink{});
  rig.down.tells(rig.stage, fmap::demand{1});
  rig.settle();
  CHECK(rig.down.heard() == (items ? lines{"2", "end"} : lines{"end"}));
}

TEST_CASE("a downstream that sends stop ends the stage, and the upstream is told") {
  stage_rig rig;
  rig.start(twice, rig.bound(4));
  const obituary life{rig.stage};
  rig.attach();
  rig.send(1, 4);
  rig.down.tells(rig.stage, fmap::stop{caf::make_error(caf::sec::runtime_error, "enough")});
  rig.settle();
  CHECK(rig.up.heard() == lines{"stop: enough"});
  CHECK(life.reason() == "enough");
  CHECK(rig.down.heard().empty());
  CHECK(rig.all_alive());
}

TEST_CASE("connect attaches both sides") {
  stage_rig rig;
  rig.start(twice, rig.bound(4));
  const caf::actor first = rig.stage;
  int sum = 0;
  const caf::actor sink = rig.start_sink([&](int x) { sum += x; }, 2);
  const caf::actor second = rig.start(twice, rig.bound(4));
  const obituary life{sink};
  fmap::connect(first, second);
  fmap::connect(second, sink);
  rig.up.tells(first, fmap::attach_source{});
  rig.settle();
  CHECK(rig.up.heard() == lines{"demand 4"});
  for (int i = 1; i != 5; ++i) rig.up.tells(first, i);
  rig.up.tells(first, fmap::end{});
  rig.settle();
  CHECK(sum == 40);
  CHECK(life.reason() == "");
  CHECK(rig.all_alive());
}

TEST_CASE("in any order of events, never more items than the bound lie between the neighbours") {
  const std::uint64_t base = GENERATE(take(150, random(1, 1 << 30)));
  const bool ordered = GENERATE(false, true);
  const std::uint64_t chosen = std::getenv("FMAP_SEED") != nullptr ? seed() : base;
  INFO(seed_message(chosen));
  dice d{chosen};
  stage_rig rig{d.below(1 << 30)};
  const std::uint64_t bound = d.between(1, 40), items = d.below(200);
  rig.start(twice, rig.bound(bound, ordered), static_cast<std::uint32_t>(d.between(1, 3)));
  rig.up.tells(rig.stage, fmap::attach_source{});
  rig.down.tells(rig.stage, fmap::attach_sink{});
  std::uint64_t granted = 0, sent = 0, demanded = 0, got = 0;
  bool over = false;
  lines outcomes;
  for (int idle = 0; !over && idle < 3000;) {
    ++idle;
    for (std::uint64_t steps = d.below(10); steps != 0; --steps) rig.world.step();
    if (d.one_in(4)) rig.world.advance(fmap::kernel::tuning::tick);
    const bool all_arrived = d.one_in(5);
    if (all_arrived) rig.settle();
    for (const auto& line : rig.up.heard()) {
      REQUIRE(line.substr(0, 7) == "demand ");
      granted += std::stoull(line.substr(7));
    }
    for (const auto& line : rig.down.heard()) {
      REQUIRE_FALSE(over);
      over = line == "end";
      if (over) continue;
      outcomes.push_back(line);
      REQUIRE(++got <= demanded);
      idle = 0;
    }
    // What is under way to the downstream is part of what that demanded.
    REQUIRE(granted <= (all_arrived ? got : demanded) + bound);
    if (sent != std::min(granted, items) && d.one_in(2)) {
      rig.up.tells(rig.stage, static_cast<int>(sent++));
      if (sent == items) rig.up.tells(rig.stage, fmap::end{});
    }
    if (items == 0 && idle == 1 && granted != 0) rig.up.tells(rig.stage, fmap::end{});
    if (d.one_in(3)) {
      const std::uint64_t n = d.below(7);
      rig.down.tells(rig.stage, fmap::demand{n});
      demanded += n;
    }
  }
  REQUIRE(got == items);
  if (items != 0) REQUIRE(over);
  lines wanted;
  for (int i = 0; i != static_cast<int>(items); ++i)
    wanted.push_back(i == 13 ? "failure 13 thirteen" : std::to_string(2 * i));
  if (!ordered) {
    std::sort(wanted.begin(), wanted.end());
    std::sort(outcomes.begin(), outcomes.end());
  }
  REQUIRE(outcomes == wanted);
}
