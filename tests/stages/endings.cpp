// SPDX-License-Identifier: BSD-3-Clause
// Whoever has seen a stage, source, sink or handle end may destroy what its user code refers to; and what was
// stopped goes no further.
#include <atomic>
#include <ranges>
#include <stdexcept>
#include <string>

#include <fmap/actor.hpp>
#include <fmap/fmap.hpp>
#include <fmap/stage.hpp>

#include "support/catch.hpp"
#include "support/made_range.hpp"
#include "support/puppet.hpp"

using namespace testing;

namespace {

struct world {
  fmap::actor_system_config config;
  caf::actor_system system{config};
};

/// How an actor is ended from outside.
enum class by { exit_message, kill, error_message, last_handle };

void end(caf::actor& who, by how) {
  switch (how) {
    case by::exit_message: caf::anon_send_exit(who, caf::exit_reason::user_shutdown); break;
    case by::kill: caf::anon_send_exit(who, caf::exit_reason::kill); break;
    case by::error_message:
      fmap::actors::post(who, caf::make_error(caf::sec::runtime_error, "enough"));
      break;
    case by::last_handle: who = nullptr; break;
  }
}

/// User code that waits at a gate, is counted, and says when it is destroyed.
struct held_call {
  gate& hold;
  std::atomic<int>& calls;
  std::shared_ptr<int> life;

  int operator()(int x) const {
    ++calls;
    hold.pass();
    return x;
  }
};

}  // namespace

TEST_CASE("a stage is seen to end when its last call has returned, and its function is destroyed") {
  const by how = GENERATE(by::exit_message, by::kill, by::error_message, by::last_handle);
  gate hold;
  std::atomic<int> calls{0};
  world w;
  puppet up{w.system};
  opens_at_exit guard{hold};
  fmap::thread_pool pool{w.system, {.workers = 1}};
  auto life = std::make_shared<int>();
  const std::weak_ptr<int> function = life;
  caf::actor stage = fmap::spawn_stage<int, int>(
      w.system, pool, held_call{hold, calls, std::move(life)}, {.buffersize = 4});
  const obituary end_of_stage{stage};
  std::atomic<bool> destroyed{false};
  at_end_of(stage, [&](const caf::error&) { destroyed = function.expired(); });
  up.tells(stage, fmap::attach_source{});
  up.heard(1);
  for (int i = 0; i != 4; ++i) up.tells(stage, i);
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  end(stage, how);
  const lines told = up.heard(1);  // at once
  REQUIRE(told.size() == 1);
  CHECK(told[0].substr(0, 6) == "stop: ");
  CHECK(end_of_stage.alive());
  hold.open();
  CHECK(end_of_stage.awaited() != "alive");
  CHECK(destroyed);
  CHECK(calls == 1);
}

TEST_CASE("a sink is seen to end when its last call has returned, and its function is destroyed") {
  const by how = GENERATE(by::exit_message, by::kill, by::error_message, by::last_handle);
  gate hold;
  std::atomic<int> calls{0};
  world w;
  puppet up{w.system};
  opens_at_exit guard{hold};
  auto life = std::make_shared<int>();
  const std::weak_ptr<int> function = life;
  caf::actor sink =
      fmap::spawn_sink<int>(w.system, held_call{hold, calls, std::move(life)}, {.buffersize = 4});
  const obituary end_of_sink{sink};
  std::atomic<bool> destroyed{false};
  at_end_of(sink, [&](const caf::error&) { destroyed = function.expired(); });
  up.tells(sink, fmap::attach_source{});
  up.heard(1);
  for (int i = 0; i != 4; ++i) up.tells(sink, i);
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  end(sink, how);
  const lines told = up.heard(1);
  REQUIRE(told.size() == 1);
  CHECK(told[0].substr(0, 6) == "stop: ");
  CHECK(end_of_sink.alive());
  hold.open();
  CHECK(end_of_sink.awaited() != "alive");
  CHECK(destroyed);
  CHECK(calls == 1);
}

TEST_CASE("a source is seen to end when nobody is in its range any more, and that is destroyed") {
  const by how = GENERATE(by::exit_message, by::kill, by::error_message, by::last_handle);
  gate hold;
  std::atomic<int> pulled{0};
  world w;
  puppet down{w.system};
  opens_at_exit guard{hold};
  auto life = std::make_shared<int>();
  const std::weak_ptr<int> range = life;
  caf::actor source = fmap::spawn_source(w.system, made_range{[&, life](std::uint64_t i) {
                                                                ++pulled;
                                                                hold.pass();
                                                                return static_cast<int>(i);
                                                              },
                                                              1000});
  life.reset();
  const obituary end_of_source{source};
  std::atomic<bool> destroyed{false};
  at_end_of(source, [&](const caf::error&) { destroyed = range.expired(); });
  down.tells(source, fmap::attach_sink{});
  down.tells(source, fmap::demand{100});
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  end(source, how);
  const lines told = down.heard(1);
  REQUIRE(told.size() == 1);
  CHECK(told[0].substr(0, 5) == "end: ");
  CHECK(end_of_source.alive());
  hold.open();
  CHECK(end_of_source.awaited() != "alive");
  CHECK(destroyed);
  CHECK(pulled == 1);
  CHECK(down.heard().empty());
}

TEST_CASE("a handle is seen to end when its last call has returned") {
  const by how = GENERATE(by::exit_message, by::kill);
  gate hold;
  std::atomic<int> calls{0};
  world w;
  puppet user{w.system};
  opens_at_exit guard{hold};
  fmap::thread_pool pool{w.system, {.workers = 1}};
  caf::actor handle = pool.handle<int>(held_call{hold, calls, nullptr}, {.buffersize = 4});
  const obituary end_of_handle{handle};
  for (int i = 0; i != 4; ++i) user.asks(handle, i);
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  end(handle, how);
  CHECK(user.heard(4).size() == 4);
  CHECK(end_of_handle.alive());
  hold.open();
  CHECK(end_of_handle.awaited() != "alive");
  CHECK(calls == 1);
}

TEST_CASE("an actor system waits for the user code of stages that were dropped") {
  gate hold;
  std::atomic<int> calls{0};
  std::atomic<bool> returned{false};
  fmap::thread_pool pool{1};  // not the system's
  std::thread opener;
  {
    world w;
    puppet up{w.system};
    caf::actor stage = fmap::spawn_stage<int, int>(w.system, pool,
                                                   [&](int x) {
                                                     ++calls;
                                                     hold.pass();
                                                     returned = true;
                                                     return x;
                                                   },
                                                   {.buffersize = 4});
    up.tells(stage, fmap::attach_source{});
    up.heard(1);
    up.tells(stage, 1);
    REQUIRE(eventually([&] { return hold.waiting() == 1; }));
    stage = nullptr;
    opener = std::thread{[&] { hold.open(); }};
  }
  CHECK(returned);
  opener.join();
}

TEST_CASE("after its function has thrown a sink calls it no more") {
  const std::size_t buffersize = GENERATE(1u, 64u, 4096u);
  world w;
  std::atomic<int> calls{0}, failures{0};
  const bool at_failure = GENERATE(false, true);
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0)),
                   stage = fmap::spawn_stage<int, int>(
                       w.system,
                       [](int x) {
                         if (x == 20) throw std::runtime_error{"twenty"};
                         return x;
                       },
                       {.workers = 1, .buffersize = buffersize, .ordered = true}),
                   sink = fmap::spawn_sink<int>(w.system,
                                                [&](int x) {
                                                  ++calls;
                                                  if (x == 21) throw std::runtime_error{"at it"};
                                                },
                                                {.on_failure =
                                                     [&](const fmap::failure&) {
                                                       ++failures;
                                                       if (at_failure)
                                                         throw std::runtime_error{"at failure"};
                                                     },
                                                 .buffersize = buffersize});
  const obituary end_of_sink{sink};
  fmap::connect(source, stage);
  fmap::connect(stage, sink);
  CHECK(end_of_sink.awaited() == (at_failure ? "at failure" : "at it"));
  CHECK(calls == (at_failure ? 20 : 21));
  CHECK(failures == 1);
}

TEST_CASE("a sink's function is called one by one even if it waits for futures") {
  world w;
  fmap::thread_pool pool{2};
  std::atomic<int> inside{0}, most{0};
  std::vector<int> seen;
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0, 300)),
                   sink = fmap::spawn_sink<int>(w.system, [&](int x) {
                     most = std::max(most.load(), ++inside);
                     seen.push_back(pool.submit([](int y) { return y; }, x).get());
                     --inside;
                   });
  const obituary end_of_sink{sink};
  fmap::connect(source, sink);
  CHECK(end_of_sink.awaited() == "");
  CHECK(most == 1);
  CHECK(seen.size() == 300);
  CHECK(std::ranges::is_sorted(seen));
}

TEST_CASE("a source whose range throws ends with that as its reason") {
  world w;
  const bool at_once = GENERATE(true, false);
  const caf::actor source = fmap::spawn_source(w.system,
                                               made_range{[at_once](std::uint64_t i) {
                                                            if (at_once || i == 5)
                                                              throw std::runtime_error{"disk full"};
                                                            return static_cast<int>(i);
                                                          },
                                                          100}),
                   sink = fmap::spawn_sink<int>(w.system, [](int) {});
  const obituary end_of_source{source}, end_of_sink{sink};
  fmap::connect(source, sink);
  CHECK(end_of_source.awaited() == "disk full");
  CHECK(end_of_sink.awaited() == "disk full");
}
