// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox step by step: who is woken when, and what is withheld for how long.

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/mailbox_stage.hpp"

using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("mailbox: a source pulls as many items as there are tokens and then waits") {
  stage s{1};
  const run_ptr r = s.open({.buffersize = 3}, [](int x) { return x; });
  CHECK(s.box.pull(*r) == pulled::out_of_tokens);
  CHECK(s.box.stats(*r).counts.pulled == 3);
  CHECK(s.box.stats(*r).counts.queued == 3);
  CHECK(s.box.pull(*r) == pulled::out_of_tokens);
  CHECK(s.box.stats(*r).counts.pulled == 3);
  s.box.close(*r);
}

TEST_CASE("mailbox: a source without tokens waits for them, however cheap the items are") {
  stage s{1};
  hand_worker w{s.box};
  const run_ptr r = s.open({.buffersize = 8}, [](int x) { return x; });
  for (int i = 0; i < 100 || (r->pace.size != grain::fine && i < 100'000); ++i) {
    s.pull_all(*r);
    w.work();
    s.take(*r);
  }
  REQUIRE(r->pace.size == grain::fine);
  s.pull_all(*r);
  CHECK(s.box.pull(*r) == pulled::out_of_tokens);
  CHECK(r->in.source.asleep());
  s.box.close(*r);
}

TEST_CASE("mailbox: a source that waits is rung when a result is taken, not when one is ready") {
  stage s{1};
  hand_worker w{s.box};
  const run_ptr r = s.open({.buffersize = 1}, [](int x) { return x; });
  s.box.pull(*r);
  const int before = s.source->rung;
  w.work();
  CHECK(s.source->rung == before);
  CHECK(s.take(*r) == std::vector{0});
  s.box.tick();
  CHECK(s.source->rung == before + 1);
  s.box.close(*r);
}

TEST_CASE(
    "mailbox: an idle worker is rung for work, and the supervisor starts one if there is none") {
  stage s{2};
  const run_ptr r = s.open({.buffersize = 1}, [](int x) { return x; });
  s.box.pull(*r);
  CHECK(s.supervisor->rung == 1);
  CHECK(s.box.take_duties().start == 1);
  CHECK(s.box.take_duties().start == 0);
  hand_worker w{s.box};
  CHECK(w.work());
  CHECK(w.bell->rung == 0);
  s.take(*r);
  s.box.pull(*r);
  s.box.tick();
  CHECK(w.bell->rung == 1);
  s.box.close(*r);
}

TEST_CASE("mailbox: a sink that waits is rung once there is a result, and at the end") {
  stage s{1};
  hand_worker w{s.box};
  const run_ptr r = s.open(
      {.buffersize = 4}, [](int x) { return x; }, 1);
  CHECK(s.take(*r).empty());
  CHECK(s.last == next_result::wait);
  CHECK(s.box.pull(*r) == pulled::over);
  CHECK(s.sink->rung == 0);
  w.work();
  s.box.tick();
  CHECK(s.sink->rung == 1);
  CHECK(s.take(*r).size() == 1);
  CHECK(s.last == next_result::end);
  s.box.close(*r);
}

TEST_CASE("mailbox: a sink that waits is rung when half the buffer is ready, while workers go on") {
  stage s{1};
  hand_worker w{s.box};
  std::vector<int> rung;
  const run_ptr r = s.open(
      {.buffersize = 4, .chunksize = 1},
      [&](int x) {
        rung.push_back(s.sink->rung);
        return x;
      },
      4);
  s.pull_all(*r);
  CHECK(s.take(*r).empty());
  w.work();
  REQUIRE(rung.size() == 4);
  CHECK(rung[0] == 0);
  CHECK(rung[2] == 1);
  CHECK(rung[3] == 1);
  CHECK(s.take(*r).size() == 4);
  s.box.close(*r);
}

TEST_CASE("mailbox: results that are worth a wake-up each are announced one by one") {
  stage s{1};
  hand_worker w{s.box};
  std::vector<int> rung;
  run_ptr r;
  r = s.open(
      {.buffersize = 16, .chunksize = 1},
      [&](int x) {
        rung.push_back(s.sink->rung);
        if (x != 0) s.take(*r);  // and waits for more
        const auto until = fmap::actors::clock::now() + std::chrono::milliseconds{1};
        while (fmap::actors::clock::now() < until) {}
        return x;
      },
      4);
  s.pull_all(*r);
  CHECK(s.take(*r).empty());
  w.work();
  CHECK(rung == std::vector{0, 1, 2, 3});
  s.box.close(*r);
}

TEST_CASE(
    "mailbox: tick() takes from a slow item's batch what is finished and what has not begun") {
  stage s{2};
  hand_worker slow{s.box}, other{s.box};
  run_ptr r;
  std::vector<int> meanwhile;
  r = s.open(
      {.buffersize = 8, .chunksize = 8},
      [&](int x) {
        if (x != 4) return x;
        outlast_patience();
        s.box.tick();
        other.work();
        meanwhile = s.take(*r);
        return x;
      },
      8);
  s.pull_all(*r);
  slow.work();
  CHECK(meanwhile == std::vector{0, 1, 2, 3, 5, 6, 7});
  CHECK(s.take(*r) == std::vector{4});
  s.box.close(*r);
}

TEST_CASE("mailbox: what was pulled is queued while the input blocks") {
  stage s{1};
  hand_worker w{s.box};
  run_ptr r;
  std::vector<int> meanwhile;
  bool blocked = false;
  const supply make = [&](std::uint64_t i) {
    if (r->seen.flush_every > 1 && !std::exchange(blocked, true)) {
      // Not the first of this visit: those before it are withheld until the supervisor looks.
      outlast_patience();
    } else if (blocked && meanwhile.empty()) {
      outlast_patience();
      s.box.tick();
      w.work();
      meanwhile = s.take(*r);
      CHECK(meanwhile.size() == i);
    }
    return static_cast<int>(i);
  };
  r = s.open({.buffersize = 1024},
             std::make_shared<function_job<int, function>>([](int x) { return x; }), make, 512);
  s.box.pull(*r);
  CHECK_FALSE(meanwhile.empty());
  s.box.close(*r);
}

TEST_CASE("mailbox: a run's chunks are used again") {
  stage s{1};
  hand_worker w{s.box};
  const run_ptr r = s.open({.buffersize = 64}, [](int x) { return x; });
  std::size_t taken = 0;
  while (taken < 10'000) {
    s.box.pull(*r);
    w.work();
    taken += s.take(*r).size();
  }
  CHECK(r->chunks.size() <= 64);
  s.box.close(*r);
}

namespace {

/// Items without a source, as they arrive in a worker process.
void push(stage& s, run& r, std::uint32_t count) {
  auto items = std::make_unique<chunk>(0, count, r.work->layout);
  for (std::uint32_t i = 0; i != count; ++i) {
    ::new (items->at(i)) int(static_cast<int>(i));
    items->state(i).store(fmap::detail::slot_state::item);
  }
  s.box.push(r, std::move(items), count);
}

}  // namespace

TEST_CASE("mailbox: a stub that lets few items wait is rung for all of them by the tick") {
  stage s{100'000};  // there may always be one more
  hand_stub a{s.box}, b{s.box};
  const run_ptr r = s.open({.buffersize = 256}, [](int x) { return x; });
  for (int i = 0; i != 1000; ++i) {
    s.box.pull_once(*r);
    while (const parcel p = a.take()) a.finish(p, 10ns);
    s.take(*r);
  }
  const auto pull_one = [&] {
    r->seen.flush_every = 1;
    s.box.pull_once(*r);
  };
  pull_one();
  const parcel held = a.take();
  REQUIRE(held);
  REQUIRE_FALSE(b.take());
  s.box.take_duties();
  for (int i = 0; i != 10; ++i) pull_one();
  CHECK(s.box.take_duties().start == 0);  // somebody is there
  CHECK_FALSE(b.take());
  const int before = b.bell->rung;
  s.box.tick();
  CHECK(b.bell->rung == before + 1);
  while (const parcel p = b.take()) b.finish(p, 10ns);
  CHECK(s.box.stats(*r).counts.queued == 0);
  a.finish(held, 10ns);
  s.box.close(*r);
}

TEST_CASE(
    "mailbox: a sink is told of as much as it wants to be told of at a time, and of the last") {
  stage s{1};
  hand_worker w{s.box};
  const bool gathers = GENERATE(false, true);
  std::vector<int> rung;  // when each item was executed
  const auto note = std::make_shared<function_job<int, function>>(
      [&](int x) { return rung.push_back(s.sink->rung), x; });
  const run_ptr r =
      s.box.open({.buffersize = unbounded, .tell_after = gathers ? 1s : 0s}, note, nullptr, s.sink);
  const std::vector<int> expected = gathers ? std::vector{0, 0, 0} : std::vector{0, 1, 1};
  // In the first round the cost is not known; in any other half a millisecond may pass, and a tick with it.
  for (int round = 0; round < 2 || (round != 1000 && rung != expected); ++round) {
    s.take(*r);
    s.sink->rung = 0;
    rung.clear();
    for (int i = 0; i != 3; ++i) push(s, *r, 1);
    w.work();
  }
  CHECK(rung == expected);
  CHECK(s.sink->rung == 1);
  CHECK(s.take(*r).size() == 3);
  s.box.close(*r);
}
