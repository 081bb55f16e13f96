// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox step by step: tasks that wait, and the workers that there are meanwhile.

#include <functional>
#include <memory>
#include <vector>

#include <fmap/errors.hpp>

#include "support/catch.hpp"
#include "support/mailbox_stage.hpp"

using namespace testing;

namespace {

int same(int x) { return x; }

/// A pool of one whose worker is at an item for as long as `inside` runs; three more are queued behind that.
struct stuck_pool {
  explicit stuck_pool(std::function<void(stuck_pool&)> inside) {
    outer = s.open(
        {.buffersize = 4, .chunksize = 1},
        [&](int x) {
          if (x == 0) inside(*this);
          return x;
        },
        4);
    s.pull_all(*outer);
    w.work();
  }
  ~stuck_pool() { s.box.close(*outer); }
  stuck_pool(const stuck_pool&) = delete;
  stuck_pool& operator=(const stuck_pool&) = delete;

  /// How many workers are to be started after the tick.
  std::uint32_t started_by_tick() {
    s.box.tick();
    return s.box.take_duties().start;
  }

  stage s{1};
  hand_worker w{s.box};
  run_ptr outer;
};

void outlast_stuck() { outlast(tuning::stuck); }

}  // namespace

TEST_CASE("mailbox: where all workers are stuck there is a reserve for what a task waits for, and "
          "for nothing else") {
  std::vector<int> items{1, 2, 3};
  stuck_pool pool{[&](stuck_pool& p) {
    stage& s = p.s;
    const working_in task{&s.mailbox};
    s.box.take_duties();
    const run_ptr inner = s.open_at_hand({.buffersize = 3}, same, items);
    CHECK(s.take(*inner).empty());
    s.box.block();
    CHECK(s.box.take_duties().start == 1);
    hand_worker second{s.box};  // gets stuck on its way
    outlast_stuck();
    CHECK(p.started_by_tick() == 1);
    hand_worker reserve{s.box};
    CHECK(p.started_by_tick() == 0);
    CHECK(reserve.place.reserve);
    CHECK_FALSE(second.place.reserve);
    // The task takes what there is and waits again.
    const auto served = [&](run& r) {
      std::vector<int> all;
      do {
        CHECK(reserve.work());
        for (int result : s.take(r)) all.push_back(result);
        s.box.unblock();
        reserve.bell->rung = 0;
        s.box.block();
        CHECK(reserve.bell->rung == (s.last == next_result::end ? 0 : 1));
      } while (s.last != next_result::end);
      return all;
    };
    CHECK(served(*inner) == items);
    CHECK(s.box.stats(*p.outer).counts.queued == 3);
    s.box.close(*inner);

    // It stays, and comes for the next one at once.
    const run_ptr next = s.open_at_hand({.buffersize = 3}, same, items);
    CHECK(s.take(*next).empty());
    s.box.unblock();
    s.box.block();
    CHECK(reserve.bell->rung == 1);
    CHECK(served(*next) == items);
    CHECK(s.box.stats(*p.outer).counts.queued == 3);
    s.box.close(*next);
    s.box.unblock();
    s.box.leave(reserve.place);
    s.box.leave(second.place);
  }};
}

TEST_CASE("mailbox: there is no reserve for a run that no task of the pool waits for") {
  std::vector<int> items{1, 2, 3};
  const bool waits = GENERATE(true, false);
  stuck_pool pool{[&](stuck_pool& p) {
    stage& s = p.s;
    const run_ptr inner = s.open_at_hand({.buffersize = 3}, same, items);
    if (waits) s.take(*inner);
    s.box.block();
    s.box.take_duties();
    hand_worker second{s.box};
    outlast_stuck();
    CHECK(p.started_by_tick() == 0);
    s.box.unblock();
    s.box.leave(second.place);
    s.box.close(*inner);
  }};
}

TEST_CASE("mailbox: there is no reserve while somebody is at the run, or a worker comes by") {
  std::vector<int> items{1, 2, 3};
  stuck_pool pool{[&](stuck_pool& p) {
    stage& s = p.s;
    const working_in task{&s.mailbox};
    run_ptr inner;
    inner = s.open_at_hand(
        {.buffersize = 3, .chunksize = 1},
        [&](int x) {
          outlast_stuck();
          CHECK(p.started_by_tick() == 0);
          return x;
        },
        items);
    CHECK(s.take(*inner).empty());
    s.box.block();
    s.box.take_duties();
    hand_worker second{s.box};
    while (s.box.stats(*inner).counts.taken + s.box.stats(*inner).counts.ready != 3) second.work();
    s.box.unblock();
    s.box.leave(second.place);
    s.box.close(*inner);
  }};
}

TEST_CASE("mailbox: of the reserves one stays when no task waits any more") {
  stage s{1};
  std::vector<int> items{1};
  const working_in task{&s.mailbox};
  const run_ptr r = s.open({.buffersize = 1}, same);  // never pulled
  s.box.block();
  std::vector<std::unique_ptr<hand_worker>> reserves;
  for (int i = 0; i != 2; ++i) {
    const run_ptr inner = s.open_at_hand({.buffersize = 1}, same, items);
    s.take(*inner);
    for (auto started = s.box.take_duties().start; started != 0; --started)
      reserves.push_back(std::make_unique<hand_worker>(s.box));
    outlast_stuck();
    s.box.tick();
    for (auto started = s.box.take_duties().start; started != 0; --started)
      reserves.push_back(std::make_unique<hand_worker>(s.box));
    s.box.close(*inner);
  }
  std::erase_if(reserves, [&](const auto& w) {
    if (w->place.reserve) return false;
    s.box.leave(w->place);
    return true;
  });
  REQUIRE(reserves.size() == 2);
  for (const auto& w : reserves) CHECK(w->work());
  s.box.unblock();
  CHECK(reserves[0]->bell->rung + reserves[1]->bell->rung == 1);
  for (const auto& w : reserves)
    if (w->bell->rung != 0) CHECK_FALSE(w->work());
  s.box.close(*r);
}

TEST_CASE("mailbox: who sees something out is never refused, and another worker may be started "
          "meanwhile") {
  stage s{1};
  hand_worker w{s.box};
  for (std::uint32_t i = 0; i != tuning::most_blocked; ++i) s.box.block();
  CHECK_THROWS_AS(s.box.block(), fmap::would_deadlock);
  const run_ptr r = s.open({.buffersize = 4}, same);
  s.box.take_duties();
  {
    const working_in here{&s.mailbox};
    const seeing_out first, second;
    CHECK_THROWS_AS(s.box.block(), fmap::would_deadlock);
  }
  for (std::uint32_t i = 0; i != tuning::most_blocked; ++i) s.box.unblock();
  s.box.close(*r);
}
