// SPDX-License-Identifier: BSD-3-Clause
// What connect() refuses, what becomes of a connection to somebody dead, dying or taken, and that nothing stays
// with an actor that outlives its neighbours.
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmap/actor.hpp>
#include <fmap/fmap.hpp>
#include <fmap/stage.hpp>

#include "actors/neighbour.hpp"
#include "support/catch.hpp"
#include "support/puppet.hpp"

using namespace testing;

namespace {

int same(int x) { return x; }

struct world {
  fmap::actor_system_config config;
  caf::actor_system system{config};
};

/// How many of fmap's watches lie with an actor. It takes them off, and so is asked last.
std::size_t watches_on(const caf::actor& who) {
  return who->detach(fmap::actors::watch::at(fmap::actors::watch::anywhere));
}

}  // namespace

TEST_CASE("connect refuses what cannot be joined, and says why") {
  world w;
  fmap::thread_pool pool{w.system, {.workers = 1}};
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0, 5)),
                   to_text = fmap::spawn_stage<int, std::string>(
                       w.system, pool, [](int x) { return std::to_string(x); }),
                   numbers = fmap::spawn_stage<int, int>(w.system, pool, same),
                   effects = fmap::spawn_stage<int, std::monostate>(w.system, pool, [](int) {}),
                   sink = fmap::spawn_sink<int>(w.system, [](int) {}),
                   handle = pool.handle<int>(same);
  const auto refused = [](const caf::actor& up, const caf::actor& down, const std::string& why) {
    CHECK_THROWS_AS(fmap::connect(up, down), std::invalid_argument);
    CHECK_THROWS_WITH(fmap::connect(up, down), Catch::Contains(why));
  };
  refused(to_text, sink, "sends items of type std::string, and the sink takes int");
  refused(to_text, numbers, "sends items of type std::string, and the stage takes int");
  refused(effects, sink, "sends items of type nothing");
  refused(sink, numbers, "the sink sends no items");
  refused(handle, sink, "the handle sends no items");
  refused(numbers, source, "the source takes no items");
  refused(source, handle, "the handle takes no items");
  for (const auto& who : {source, to_text, numbers, sink, handle}) CHECK(obituary{who}.alive());
  fmap::connect(source, numbers);
  fmap::connect(numbers, sink);
  CHECK(obituary{sink}.awaited() == "");
}

TEST_CASE("a range of literals, of long long and of short is joined as CAF sends it") {
  world w;
  std::vector<std::string> words;
  long sum = 0;
  const caf::actor source = fmap::spawn_source(w.system, std::vector<long long>{1, 2, 3}),
                   sink = fmap::spawn_sink<long>(w.system, [&](long x) { sum += x; });
  const obituary end{sink};
  fmap::connect(source, sink);
  CHECK(end.awaited() == "");
  CHECK(sum == 6);
  const caf::actor literals = fmap::spawn_source(w.system, std::vector<const char*>{"a", "b"}),
                   printer = fmap::spawn_sink<std::string>(
                       w.system, [&](const std::string&s) { words.push_back(s); });
  const obituary printed{printer};
  fmap::connect(literals, printer);
  CHECK(printed.awaited() == "");
  CHECK(words == std::vector<std::string>{"a", "b"});
}

TEST_CASE(
    "an upstream of another type, whom connect() could not look at, is refused with both types") {
  world w;
  puppet up{w.system};
  const caf::actor sink = fmap::spawn_sink<int>(w.system, [](int) {});
  up.tells(sink, fmap::attach_source{"std::string"});
  CHECK(up.heard(1)
        == lines{"refused: fmap: the upstream sends items of type std::string, and the sink takes "
                 "int"});
  up.tells(sink, fmap::attach_source{"int"});
  CHECK(up.heard(1) == lines{"demand 64"});
}

TEST_CASE("connected to an upstream that has ended, a stage and a sink end with the reason") {
  for (const death how : {death::normal, death::error, death::exit_message}) {
    world w;
    puppet user{w.system};
    caf::actor up = fmap::spawn_stage<int, int>(w.system, same, {.workers = 1});
    const obituary life{up};
    if (how == death::exit_message)
      caf::anon_send_exit(up, caf::exit_reason::kill);
    else
      fmap::actors::post(up, caf::make_error(caf::sec::runtime_error, "ill"));
    life.awaited();
    const caf::actor stage = fmap::spawn_stage<int, int>(w.system, same, {.workers = 1}),
                     sink = fmap::spawn_sink<int>(w.system, [](int) {});
    const obituary end_of_stage{stage}, end_of_sink{sink};
    fmap::connect(up, stage);
    fmap::connect(stage, sink);
    const std::string reason = how == death::exit_message ? "kill" : "ill";
    CHECK(end_of_stage.awaited() == reason);
    CHECK(end_of_sink.awaited() == reason);
  }
}

TEST_CASE("connected to an upstream that is dying, a sink does not wait for its user code") {
  gate hold;
  world w;
  puppet feeder{w.system};
  opens_at_exit guard{hold};
  const caf::actor up = fmap::spawn_stage<int, int>(w.system,
                                                    [&](int x) {
                                                      hold.pass();
                                                      return x;
                                                    },
                                                    {.workers = 1}),
                   sink = fmap::spawn_sink<int>(w.system, [](int) {});
  const obituary end{sink};
  feeder.tells(up, fmap::attach_source{});
  feeder.heard(1);
  feeder.tells(up, 1);
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  caf::anon_send_exit(up, caf::exit_reason::kill);
  feeder.heard(1);
  fmap::connect(up, sink);
  CHECK(end.awaited() == "kill");
}

TEST_CASE("connected to an upstream that is taken, the newcomer ends with the reason") {
  world w;
  const bool is_stage = GENERATE(false, true);
  const caf::actor up = is_stage ? fmap::spawn_stage<int, int>(w.system, same, {.workers = 1})
                                 : fmap::spawn_source(w.system, std::views::iota(0));
  const caf::actor first = fmap::spawn_sink<int>(w.system, [](int) {}),
                   second = fmap::spawn_sink<int>(w.system, [](int) {});
  const obituary end_of_first{first}, end_of_second{second}, end_of_up{up};
  fmap::connect(up, first);
  fmap::connect(up, second);
  CHECK(end_of_second.awaited()
        == "fmap: this " + std::string{is_stage ? "stage" : "source"}
               + " has a downstream already");
  CHECK(end_of_first.alive());
  CHECK(end_of_up.alive());
}

TEST_CASE("to connect the same two again changes nothing") {
  world w;
  int calls = 0;
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0, 100)),
                   sink = fmap::spawn_sink<int>(w.system, [&](int) { ++calls; });
  const obituary end{sink}, end_of_source{source};
  for (int i = 0; i != 3; ++i) fmap::connect(source, sink);
  CHECK(end.awaited() == "");
  CHECK(end_of_source.awaited() == "");
  CHECK(calls == 100);
}

TEST_CASE("an upstream that dies between connect and the first item ends everybody downstream") {
  for (int i = 0; i != 100; ++i) {
    world w;
    const caf::actor up = fmap::spawn_source(w.system, std::views::iota(0)),
                     stage = fmap::spawn_stage<int, int>(w.system, same, {.workers = 1}),
                     sink = fmap::spawn_sink<int>(w.system, [](int) {});
    const obituary end_of_stage{stage}, end{sink};
    fmap::connect(stage, sink);
    fmap::connect(up, stage);
    caf::anon_send_exit(i % 2 == 0 ? up : stage, caf::exit_reason::kill);
    CHECK(end.awaited() == "kill");
    CHECK(end_of_stage.awaited() == "kill");
  }
}

TEST_CASE("an error message of a stranger's ends no stage, source, sink or handle") {
  world w;
  puppet stranger{w.system}, user{w.system};
  fmap::thread_pool pool{w.system, {.workers = 1}};
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0)),
                   stage = fmap::spawn_stage<int, int>(w.system, pool, same),
                   sink = fmap::spawn_sink<int>(w.system, [](int) {}),
                   handle = pool.handle<int>(same);
  for (const auto& who : {source, stage, sink, handle})
    stranger.tells(who, caf::make_error(caf::sec::runtime_error, "mine"));
  fmap::actors::post(handle, caf::make_error(caf::sec::runtime_error, "nobody's"));
  for (const auto& who : {source, stage, sink, handle}) {
    user.asks(who, std::string{"hello"});
    CHECK(user.heard(1) == lines{"refused: unexpected_message"});
  }
}

TEST_CASE("nothing stays with an actor that outlives its neighbours") {
  world w;
  fmap::thread_pool pool{w.system, {.workers = 1}};
  puppet user{w.system};
  const caf::actor echo =
      w.system.spawn([]() -> caf::behavior { return {[](int x) { return x; }}; });
  for (int i = 0; i != 20; ++i) {
    const caf::actor stage = fmap::spawn_stage<int, int>(w.system, pool, same, {.buffersize = 4});
    const obituary end{stage};
    user.tells(stage, fmap::attach_sink{});
    user.tells(stage, fmap::attach_source{});
    user.heard(1);
    user.tells(stage, fmap::end{});
    CHECK(end.awaited() == "");
    for (int r : fmap::future_map<int>(w.system, echo, std::views::iota(0, 2), 2)) CHECK(r < 2);
  }
  // The last requesters may be about to take off theirs.
  CHECK(watches_on(user.actor()) == 0);
  CHECK(watches_on(echo) <= 10);
}
