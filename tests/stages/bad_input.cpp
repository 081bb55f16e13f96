// SPDX-License-Identifier: BSD-3-Clause
// Messages that a stage or a sink must not be sent, or not at this time: each is answered and dropped.
#include <cstdint>
#include <string>

#include "support/catch.hpp"
#include "support/stepped_stage.hpp"

using namespace testing;

namespace {

constexpr auto same = [](int x) { return x; };
constexpr std::uint64_t half = std::uint64_t{1} << 63;

const std::string stranger_item =
    "refused: fmap: an item from an actor that is not attached: send fmap::attach_source first";
const std::string too_many = "refused: fmap: more items than were demanded: this one is dropped";

}  // namespace

TEST_CASE("a stage does not understand a message of another type") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  rig.attach();
  rig.up.asks(rig.stage, std::string{"hello"});
  rig.settle();
  CHECK(rig.up.heard() == lines{"refused: unexpected_message"});
  rig.send(1, 1);
  rig.down.tells(rig.stage, fmap::demand{1});
  rig.settle();
  CHECK(rig.down.heard() == lines{"1"});
}

TEST_CASE("an item from an actor that is not attached is refused") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  SECTION("nobody is") {}
  SECTION("somebody else is") { rig.attach(); }
  rig.stranger.tells(rig.stage, 7);
  rig.settle();
  CHECK(rig.stranger.heard() == lines{stranger_item});
  rig.stranger.asks(rig.stage, 8);
  rig.settle();
  CHECK(rig.stranger.heard() == lines{stranger_item});
  fmap::actors::post(rig.stage, 9);
  rig.down.tells(rig.stage, fmap::attach_sink{});
  rig.down.tells(rig.stage, fmap::demand{10});
  rig.settle();
  for (const auto& line : rig.down.heard()) CHECK(line.find("already") != std::string::npos);
}

TEST_CASE("more items than were demanded are refused, and nothing of them is kept") {
  int calls = 0;
  stage_rig rig;
  rig.start(
      [&](int x) {
        ++calls;
        return x;
      },
      rig.bound(3));
  rig.attach();
  rig.send(0, 5);
  CHECK(rig.up.heard() == lines{too_many, too_many});
  rig.up.asks(rig.stage, 5);
  rig.settle();
  CHECK(rig.up.heard() == lines{too_many});
  CHECK(calls == 3);
  rig.down.tells(rig.stage, fmap::demand{10});
  rig.settle();
  CHECK(rig.down.heard() == lines{"0", "1", "2"});
  rig.send(6, 1);
  CHECK(rig.down.heard() == lines{"6"});
  CHECK(rig.all_alive());
}

TEST_CASE("demand of 0 changes nothing") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  rig.attach();
  rig.send(0, 4);
  rig.down.tells(rig.stage, fmap::demand{0});
  rig.settle();
  CHECK(rig.down.heard().empty());
  CHECK(rig.up.heard().empty());
}

TEST_CASE("demand adds up and stays at the most there can be") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  rig.attach();
  rig.down.tells(rig.stage, fmap::demand{half});
  rig.down.tells(rig.stage, fmap::demand{half});
  rig.down.tells(rig.stage, fmap::demand{half + 5});
  rig.settle();
  for (int i = 0; i != 12; i += 4) rig.send(i, 4);
  CHECK(rig.down.heard().size() == 12);
}

TEST_CASE("demand from an actor that is not attached is refused") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  const lines refused{
      "refused: fmap: demand from an actor that is not attached: send fmap::attach_sink first"};
  rig.down.tells(rig.stage, fmap::demand{1});
  rig.settle();
  CHECK(rig.down.heard() == refused);
  rig.attach();
  rig.send(0, 4);
  rig.stranger.asks(rig.stage, fmap::demand{1});
  rig.up.tells(rig.stage, fmap::demand{1});
  rig.settle();
  CHECK(rig.stranger.heard() == refused);
  CHECK(rig.up.heard() == refused);
  CHECK(rig.down.heard().empty());
}

TEST_CASE("a stage has one upstream and one downstream, once") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  rig.attach();
  const lines had_up{"refused: fmap: this stage has had an upstream already"},
      had_down{"refused: fmap: this stage has a downstream already"};
  for (puppet* who : {&rig.up, &rig.stranger}) {
    who->tells(rig.stage, fmap::attach_source{});
    rig.settle();
    CHECK(who->heard() == had_up);
  }
  for (puppet* who : {&rig.down, &rig.stranger}) {
    who->tells(rig.stage, fmap::attach_sink{});
    rig.settle();
    CHECK(who->heard() == had_down);
  }
  rig.send(0, 1);
  rig.up.tells(rig.stage, fmap::end{});
  rig.settle();
  rig.stranger.asks(rig.stage, fmap::attach_source{});
  rig.settle();
  CHECK(rig.stranger.heard() == had_up);
  rig.down.tells(rig.stage, fmap::demand{9});
  rig.settle();
  CHECK(rig.down.heard() == lines{"0", "end"});
}

TEST_CASE("attaching in nobody's name does nothing") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  fmap::actors::post(rig.stage, fmap::attach_source{});
  fmap::actors::post(rig.stage, fmap::attach_sink{});
  fmap::actors::post(rig.stage, fmap::demand{5});
  rig.settle();
  rig.up.tells(rig.stage, fmap::attach_source{});
  rig.settle();
  CHECK(rig.up.heard() == lines{"demand 4"});
}

TEST_CASE("after the end there are no items and no second end") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  rig.attach();
  rig.send(0, 1);
  rig.up.tells(rig.stage, fmap::end{});
  rig.up.tells(rig.stage, 1);
  rig.up.tells(rig.stage, fmap::end{});
  rig.settle();
  CHECK(rig.up.heard()
        == lines{"refused: fmap: an item after the end: it is dropped",
                 "refused: fmap: end has been sent before"});
  rig.down.tells(rig.stage, fmap::demand{9});
  rig.settle();
  CHECK(rig.down.heard() == lines{"0", "end"});
}

TEST_CASE("an end or a stop from an actor that is not attached is refused") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  rig.attach();
  for (puppet* who : {&rig.stranger, &rig.down}) {
    who->tells(rig.stage, fmap::end{});
    rig.settle();
    CHECK(who->heard() == lines{"refused: fmap: end from an actor that is not attached"});
  }
  for (puppet* who : {&rig.stranger, &rig.up}) {
    who->tells(rig.stage, fmap::stop{});
    rig.settle();
    CHECK(who->heard() == lines{"refused: fmap: stop from an actor that is not attached"});
  }
  rig.send(3, 1);
  rig.down.tells(rig.stage, fmap::demand{1});
  rig.settle();
  CHECK(rig.down.heard() == lines{"3"});
}

TEST_CASE("demand after the end finds nobody") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  rig.attach();
  rig.up.tells(rig.stage, fmap::end{});
  rig.settle();
  CHECK(rig.down.heard() == lines{"end"});
  rig.down.tells(rig.stage, fmap::demand{1});
  rig.settle();
  CHECK(rig.down.heard().empty());
  rig.down.asks(rig.stage, fmap::demand{1});
  rig.settle();
  CHECK(rig.down.heard() == lines{"refused: request_receiver_down"});
}

TEST_CASE("news of an end that nobody has come to changes nothing") {
  stage_rig rig;
  rig.start(same, rig.bound(4));
  rig.attach();
  fmap::actors::post(rig.stage, fmap::actors::neighbour_gone{rig.stranger.actor().address(), {}});
  fmap::actors::post(rig.stage, fmap::actors::neighbour_gone{});
  fmap::actors::post(rig.stage, fmap::actors::wake{});
  rig.send(3, 1);
  rig.down.tells(rig.stage, fmap::demand{1});
  rig.settle();
  CHECK(rig.down.heard() == lines{"3"});
}

TEST_CASE("a sink refuses what a stage refuses") {
  stage_rig rig;
  int calls = 0;
  const caf::actor sink = rig.start_sink([&](int) { ++calls; }, 2);
  const std::string not_demanded = "refused: fmap: an item that was not demanded: it is dropped";
  rig.stranger.tells(sink, 1);
  rig.settle();
  CHECK(rig.stranger.heard() == lines{not_demanded});
  rig.up.tells(sink, fmap::attach_source{});
  rig.settle();
  CHECK(rig.up.heard() == lines{"demand 2"});
  for (puppet* who : {&rig.up, &rig.stranger}) {
    who->asks(sink, fmap::attach_source{});
    rig.settle();
    CHECK(who->heard() == lines{"refused: fmap: this sink has had an upstream already"});
  }
  rig.stranger.tells(sink, fmap::end{});
  rig.settle();
  CHECK(rig.stranger.heard() == lines{"refused: fmap: end from an actor that is not attached"});
  rig.up.asks(sink, std::string{"hello"});
  rig.settle();
  CHECK(rig.up.heard() == lines{"refused: unexpected_message"});
  for (int i = 0; i != 5; ++i) rig.up.tells(sink, i);
  rig.settle();
  CHECK(calls >= 2);
  CHECK(rig.all_alive());
}
