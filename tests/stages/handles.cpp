// SPDX-License-Identifier: BSD-3-Clause
// A pool as an actor: requests are answered, bounded, by the pool's workers.
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

#include <fmap/actor.hpp>
#include <fmap/process_pool.hpp>
#include <fmap/thread_pool.hpp>

#include "support/catch.hpp"
#include "support/puppet.hpp"

using namespace testing;

namespace testing {

/// Copies only, and throws while its third one is put into a message.
struct stubborn {
  explicit stubborn(int n = 0) : x{n} {}
  stubborn(const stubborn& other) : x{other.x} {
    if (x == 3) throw std::runtime_error{"no copy of 3"};
  }
  stubborn& operator=(const stubborn&) = default;
  int x;
};

}  // namespace testing

CAF_BEGIN_TYPE_ID_BLOCK(stubborn_tests, caf::first_custom_type_id + 600)
CAF_ADD_TYPE_ID(stubborn_tests, (testing::stubborn))
CAF_END_TYPE_ID_BLOCK(stubborn_tests)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(testing::stubborn)

namespace {

[[maybe_unused]] const bool stubborn_is_known =
    fmap::actors::announce_types<caf::id_block::stubborn_tests>();

int twice(int x) {
  if (x == 13) throw std::runtime_error{"thirteen"};
  return 2 * x;
}

struct world {
  caf::actor_system_config config;
  caf::actor_system system{config};
  fmap::thread_pool pool{system, {.workers = 2}};
};

const std::string full = "refused: fmap: the pool is full: 2 requests are being worked on";

/// A function that waits at a gate.
auto held(gate& hold) {
  return [&](int x) {
    hold.pass();
    return x;
  };
}

/// Sorted: two workers answer in any order.
lines sorted(lines l) {
  std::sort(l.begin(), l.end());
  return l;
}

}  // namespace

TEST_CASE("a handle answers requests with results") {
  world w;
  const caf::actor handle = w.pool.handle<int>(twice);
  puppet user{w.system};
  for (int i = 0; i != 100; ++i) {
    user.asks(handle, i);
    CHECK(user.heard(1)
          == lines{i == 13 ? "refused: thirteen" : "answer " + std::to_string(2 * i)});
  }
}

TEST_CASE("a handle answers a message that is no request with a message") {
  world w;
  const caf::actor handle = w.pool.handle<int>(twice);
  puppet user{w.system};
  user.tells(handle, 4);
  CHECK(user.heard(1) == lines{"8"});
  user.tells(handle, 13);
  CHECK(user.heard(1) == lines{"refused: thirteen"});
  fmap::actors::post(handle, 5);
  user.asks(handle, 6);
  CHECK(user.heard(1) == lines{"answer 12"});
  user.asks(handle, std::string{"hello"});
  CHECK(user.heard(1) == lines{"refused: unexpected_message"});
}

TEST_CASE(
    "plain messages to a function that returns nothing are answered nothing, and end nobody") {
  world w;
  std::atomic<int> calls{0};
  const bool throws = GENERATE(false, true);
  const caf::actor handle = w.pool.handle<int>(
      [&](int x) {
        ++calls;
        if (throws && x == 3) throw std::runtime_error{"three"};
      },
      {.buffersize = 2, .when_full = fmap::wait_for_room});
  puppet user{w.system};
  for (int i = 0; i != 200; ++i) user.tells(handle, i);
  CHECK(eventually([&] { return calls == 200; }));
  caf::scoped_actor self{w.system};
  ask_and_wait(
      self, handle, 7, [] {}, [](const caf::error& e) { FAIL(text_of(e)); });
  CHECK(user.heard().empty());
  CHECK(obituary{handle}.alive());
}

TEST_CASE("a sender who does not understand the answers ends no handle") {
  world w;
  std::atomic<int> calls{0};
  const caf::actor handle = w.pool.handle<int>(
      [&](int x) {
        ++calls;
        return x;
      },
      {.when_full = fmap::wait_for_room});
  const caf::actor deaf = w.system.spawn([handle](caf::event_based_actor* self) -> caf::behavior {
    for (int i = 0; i != 100; ++i) fmap::actors::send(self, handle, i);
    return {[](const std::string&) {}};
  });
  CHECK(eventually([&] { return calls == 100; }));
  puppet user{w.system};
  user.asks(handle, 4);
  CHECK(user.heard(1) == lines{"answer 4"});
  CHECK(obituary{deaf}.alive());
}

TEST_CASE("a plain message for which there is no room is answered with an error") {
  gate hold;
  world w;
  opens_at_exit guard{hold};
  const caf::actor handle = w.pool.handle<int>([&](int) { hold.pass(); }, {.buffersize = 2});
  puppet user{w.system};
  for (int i = 0; i != 3; ++i) user.tells(handle, i);
  CHECK(user.heard(1) == lines{full});
}

TEST_CASE("an item or a result that cannot be moved is its asker's error, and nobody else's") {
  world w;
  const auto policy = GENERATE(fmap::answer_with_error, fmap::wait_for_room);
  const caf::actor handle =
      w.pool.handle<int>([](int x) { return stubborn{x}; }, {.buffersize = 1, .when_full = policy});
  caf::scoped_actor self{w.system};
  for (int i = 0; i != 6; ++i) {
    std::string heard;
    ask_and_wait(
        self, handle, i, [&](const stubborn& s) { heard = std::to_string(s.x); },
        [&](const caf::error& e) { heard = text_of(e); });
    CHECK(heard == (i == 3 ? "no copy of 3" : std::to_string(i)));
  }
}

TEST_CASE("a full handle answers with an error at once") {
  gate hold;
  world w;
  opens_at_exit guard{hold};
  const caf::actor handle = w.pool.handle<int>(held(hold), {.buffersize = 2});
  puppet user{w.system};
  for (int i = 0; i != 4; ++i) user.asks(handle, i);
  CHECK(user.heard(2) == lines{full, full});
  hold.open();
  CHECK(sorted(user.heard(2)) == lines{"answer 0", "answer 1"});
  user.asks(handle, 4);
  CHECK(user.heard(1) == lines{"answer 4"});
}

TEST_CASE("a patient handle answers everybody in turn") {
  world w;
  std::atomic<int> inside{0}, most{0};
  const caf::actor handle = w.pool.handle<int>(
      [&](int x) {
        const int now = ++inside;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
        --inside;
        return x;
      },
      {.buffersize = 1, .when_full = fmap::wait_for_room});
  puppet user{w.system};
  lines wanted;
  for (int i = 0; i != 500; ++i) {
    user.asks(handle, i);
    wanted.push_back("answer " + std::to_string(i));
  }
  CHECK(user.heard(500) == wanted);
  CHECK(most == 1);
}

TEST_CASE("a function that returns nothing is answered with an empty message") {
  world w;
  std::atomic<int> sum{0};
  const caf::actor handle = w.pool.handle<int>([&](int x) { sum += x; });
  caf::scoped_actor self{w.system};
  bool answered = false;
  ask_and_wait(
      self, handle, 7, [&] { answered = true; }, [](const caf::error&) {});
  CHECK(answered);
  CHECK(sum == 7);
}

TEST_CASE("a handle that is dropped still answers what it was asked") {
  gate hold;
  world w;
  opens_at_exit guard{hold};
  const auto policy = GENERATE(fmap::answer_with_error, fmap::wait_for_room);
  caf::actor handle = w.pool.handle<int>(held(hold), {.buffersize = 4, .when_full = policy});
  puppet user{w.system};
  const obituary life{handle};
  const int requests = policy == fmap::wait_for_room ? 10 : 4;
  for (int i = 0; i != requests; ++i) user.asks(handle, i);
  REQUIRE(eventually([&] { return hold.waiting() == 2; }));
  handle = nullptr;
  CHECK(user.heard().empty());
  hold.open();
  lines answers = user.heard(static_cast<std::size_t>(requests));
  CHECK(answers.size() == static_cast<std::size_t>(requests));
  for (const auto& a : answers) CHECK(a.substr(0, 7) == "answer ");
  life.awaited();
  CHECK_FALSE(life.alive());
}

TEST_CASE("the pool is shut down while requests wait: those it works on are answered") {
  gate hold;
  world w;
  opens_at_exit guard{hold};
  const caf::actor handle =
      w.pool.handle<int>(held(hold), {.buffersize = 2, .when_full = fmap::wait_for_room});
  puppet user{w.system};
  const obituary life{handle};
  for (int i = 0; i != 5; ++i) user.asks(handle, i);
  REQUIRE(eventually([&] { return hold.waiting() == 2; }));
  w.pool.shutdown({.wait = false});
  hold.open();
  lines answers = sorted(user.heard(5));
  REQUIRE(answers.size() == 5);
  CHECK(answers[0] == "answer 0");
  CHECK(answers[1] == "answer 1");
  for (int i = 2; i != 5; ++i) CHECK(answers[i].substr(0, 9) == "refused: ");
  life.awaited();
  CHECK_FALSE(life.alive());
  user.asks(handle, 9);
  CHECK(user.heard(1) == lines{"refused: request_receiver_down"});
  CHECK_THROWS_AS(w.pool.handle<int>(twice), fmap::pool_shutdown);
  CHECK(user.alive());
}

TEST_CASE("a handle is ended: whoever waits for an answer gets the reason") {
  gate hold;
  world w;
  opens_at_exit guard{hold};
  const caf::actor handle =
      w.pool.handle<int>(held(hold), {.buffersize = 2, .when_full = fmap::wait_for_room});
  puppet user{w.system};
  for (int i = 0; i != 4; ++i) user.asks(handle, i);
  REQUIRE(eventually([&] { return hold.waiting() == 2; }));
  caf::anon_send_exit(handle, caf::exit_reason::kill);
  CHECK(user.heard(4) == lines(4, "refused: kill"));
  hold.open();
  CHECK(w.pool.submit(twice, 4).get() == 8);
}

TEST_CASE("a pool that breaks answers with the error") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  fmap::thread_pool pool{
      system, {.workers = 1, .initializer = [] { throw std::runtime_error{"no licence"}; }}};
  const caf::actor handle = pool.handle<int>(twice);
  puppet user{system};
  user.asks(handle, 1);
  const lines heard = user.heard(1);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].substr(0, 9) == "refused: ");
}

TEST_CASE("several users share a handle, and handles share a pool") {
  world w;
  const caf::actor a = w.pool.handle<int>(twice, {.buffersize = 64}),
                   b = w.pool.handle<int>([](int x) { return -x; }, {.buffersize = 64});
  puppet first{w.system}, second{w.system};
  for (int i = 1; i != 31; ++i) {
    first.asks(a, 1);
    second.asks(a, 2);
    first.asks(b, 1);
  }
  lines firsts(30, "answer -1");
  firsts.insert(firsts.end(), 30, "answer 2");
  CHECK(sorted(first.heard(60)) == firsts);
  CHECK(second.heard(30) == lines(30, "answer 4"));
}

TEST_CASE("a handle of worker processes") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  fmap::process_pool pool{system, {.workers = 1}};
  const caf::actor handle = pool.handle<int>(fmap::fn<&twice>);
  puppet user{system};
  user.asks(handle, 4);
  CHECK(user.heard(1) == lines{"answer 8"});
  user.asks(handle, 13);
  CHECK(user.heard(1) == lines{"refused: thirteen"});
}

TEST_CASE("a pool that was not built on a user's system has no handles") {
  fmap::thread_pool pool{1};
  CHECK_THROWS_AS(pool.handle<int>(twice), std::logic_error);
}

TEST_CASE("options of a handle that make no sense are refused") {
  world w;
  CHECK_THROWS_AS(w.pool.handle<int>(twice, {.buffersize = 0}), std::invalid_argument);
}

TEST_CASE("an actor system ends with handles alive, and idle, and asked") {
  for (int i = 0; i != 20; ++i) {
    world w;
    const caf::actor idle = w.pool.handle<int>(twice), asked = w.pool.handle<int>(twice);
    puppet user{w.system};
    for (int k = 0; k != i; ++k) user.asks(asked, k);
  }
}
