// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox: how often the tick comes, and who does its work.

#include <chrono>
#include <numeric>
#include <vector>

#include <fmap/detail/task.hpp>

#include "support/catch.hpp"
#include "support/mailbox_stage.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

using us = std::chrono::microseconds;

/// A run whose input is at hand, with a worker who comes by between any two ticks.
struct busy_pool {
  explicit busy_pool(function fn) : items(100'000) {
    std::iota(items.begin(), items.end(), 0);
    run = s.open_at_hand({.buffersize = 64, .chunksize = 16}, std::move(fn), items);
  }
  ~busy_pool() { s.box.close(*run); }
  busy_pool(const busy_pool&) = delete;
  busy_pool& operator=(const busy_pool&) = delete;

  us tick() {
    outlast(tuning::tick);
    w.work();
    take();
    return s.box.tick();
  }

  /// The consumer is not asleep afterwards.
  void take() {
    s.take(*run);
    outcome_span none;
    s.box.next_looking(*run, none);
  }

  void tick_until_rare() {
    while (tick() <= tuning::tick_rare) {}
    s.box.take_duties();
    s.supervisor->rung = 0;
  }

  stage s{2};
  hand_worker w{s.box};
  std::vector<int> items;
  run_ptr run;
};

struct idle_task final : fmap::detail::task {
  void run() noexcept override {}
  void refuse(const std::exception_ptr&) noexcept override {}
  void cancel() noexcept override {}
  void release() noexcept override { delete this; }
};

int same(int x) { return x; }

bool asks_for_tick(stage& s) { return s.supervisor->rung == 1 && s.box.take_duties().tick; }

}  // namespace

TEST_CASE("mailbox: while workers do its work the tick comes less and less often") {
  busy_pool p{same};
  for (const us next : {1ms, 2ms, 4ms, 8ms, 16ms, 16ms}) CHECK(p.tick() == next);
}

TEST_CASE("mailbox: while something relies on the tick it does not become rare") {
  busy_pool p{same};
  const run_ptr other = p.s.open({.buffersize = 1}, same);
  for (const us next : {1ms, 2ms, 2ms, 2ms}) CHECK(p.tick() == next);
  p.s.box.close(*other);
  CHECK(p.tick() == 4ms);
}

TEST_CASE("mailbox: nor while a consumer sleeps who has not been told to do its work") {
  busy_pool p{same};
  hand_worker other{p.s.box};
  std::vector<int> items(1);
  run_ptr r;
  r = p.s.open_at_hand(
      {.buffersize = 1},
      [&](int x) {
        p.s.take(*r);
        for (const us next : {1ms, 2ms, 2ms, 2ms}) CHECK(p.tick() == next);
        return x;
      },
      items);
  while (p.s.box.stats(*r).counts.pulled == 0) other.work();
  p.s.box.close(*r);
  p.s.box.leave(other.place);
}

TEST_CASE("mailbox: when something comes that relies on the tick, a rare one is called") {
  busy_pool p{same};
  p.tick_until_rare();
  SECTION("a source") {
    const run_ptr other = p.s.open({.buffersize = 1}, same);
    CHECK(asks_for_tick(p.s));
    p.s.box.close(*other);
  }
  SECTION("items from elsewhere") {
    const auto work = std::make_shared<function_job<int, function>>(same);
    const run_ptr other = p.s.box.open({.buffersize = 1}, work, nullptr, p.s.sink);
    auto items = std::make_unique<fmap::detail::chunk>(0, 1, work->layout);
    ::new (items->at(0)) int{1};
    items->state(0) = fmap::detail::slot_state::item;
    p.s.box.push(*other, std::move(items), 1);
    CHECK(asks_for_tick(p.s));
    p.s.box.close(*other);
  }
  SECTION("a task") {
    p.s.box.push(fmap::detail::task_ptr{new idle_task});
    CHECK(asks_for_tick(p.s));
    p.w.work();
    p.take();
  }
  CHECK(p.tick() == 1ms);
}

TEST_CASE("mailbox: while the tick is rare a consumer who waits for long does its work") {
  int slow = -1;
  std::vector<int> before;
  bool told = false, asked = false;
  busy_pool* p = nullptr;
  busy_pool pool{[&](int x) {
    if (x != slow) return x;
    stage& s = p->s;
    before = s.take(*p->run);
    told = p->run->out.ticks;
    outlast_patience();
    s.box.tick_now();
    asked = asks_for_tick(s);
    before = s.take(*p->run);
    return x;
  }};
  p = &pool;
  pool.tick_until_rare();
  slow = static_cast<int>(pool.s.box.stats(*pool.run).counts.taken) + 20;
  pool.w.work();
  CHECK(told);
  CHECK(asked);
  CHECK_FALSE(before.empty());
  CHECK(before.back() == slow - 1);
  CHECK(pool.tick() == 1ms);
  pool.s.take(*pool.run);
  CHECK_FALSE(pool.run->out.ticks);
}

TEST_CASE("mailbox: a worker that comes by will look for light items itself") {
  stage s{2};
  hand_worker other{s.box}, w{s.box};
  std::vector<int> items(8);
  int rung = 1;
  // A tenth of a millisecond may pass between two lines, and then nobody counts on the worker.
  for (int round = 0; round != 1000 && rung != 0; ++round) {
    other.work();
    w.work();
    other.bell->rung = 0;
    const run_ptr r =
        s.open_at_hand({.buffersize = 8, .chunksize = 4, .expected_cost = 10ns}, same, items);
    outlast(tuning::tick);
    w.work();  // does the tick's work after the first batch
    rung = other.bell->rung;
    CHECK(s.take(*r).size() == 8);
    s.box.close(*r);
  }
  CHECK(rung == 0);
}

TEST_CASE("mailbox: the ticks go on while a worker is expected to look for items soon") {
  constexpr auto soon = 100us;
  us next{};
  int rung_at_first = 1, rung_later = 0;
  // A tenth of a millisecond may pass between two lines, and then nobody counts on the second worker; nor
  // in a later map of the same pool, which remembers what the functions cost.
  for (int round = 0; round != 1000 && rung_at_first != 0; ++round) {
    stage s{3};
    hand_worker third{s.box}, second{s.box}, first{s.box};
    for (hand_worker* w : {&third, &second, &first}) w->work();
    third.bell->rung = 0;
    run_ptr light, other;
    light = s.open(
        {.buffersize = 16, .expected_cost = 10ns},
        [&](int x) {
          if (x != 8) return x;  // the first ones tell what an item costs
          s.box.tick();
          outlast_patience();
          s.pull_all(*other);
          second.work();  // its item is slow
          return x;
        },
        16);
    other = s.open(
        {.buffersize = 1, .expected_cost = 10ns},
        [&](int x) {
          next = s.box.tick();  // takes the other seven from the first worker
          rung_at_first = third.bell->rung;
          outlast(soon);
          s.box.tick();
          rung_later = third.bell->rung;
          return x;
        },
        1);
    s.pull_all(*light);
    first.work();
    s.box.close(*light);
    s.box.close(*other);
  }
  CHECK(rung_at_first == 0);
  CHECK(next > 0us);
  CHECK(rung_later == 1);
}
