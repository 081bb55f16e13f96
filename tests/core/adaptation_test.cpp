// SPDX-License-Identifier: BSD-3-Clause
// How many workers a pool has that may have more than it was made with, in virtual time.
#include <chrono>
#include <cstdint>
#include <sstream>

#include "src/core/idle_processors.hpp"
#include "src/kernel/adaptation.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fmap::kernel::adaptation;
using fmap::kernel::adaptive_scene;
namespace tuning = fmap::kernel::tuning;

using duration = fmap::kernel::clock::duration;
using time_point = fmap::kernel::clock::time_point;

namespace {

/// A pool as an adaptation sees it.
struct world {
  adaptation adapts;
  adaptive_scene now;
  time_point time{1h};
  duration pause{};

  explicit world(std::uint32_t least, std::uint32_t most, duration idle_timeout) {
    adapts.allow({least, most, idle_timeout});
    now.workers = least;
  }

  /// The look that is due.
  void look() {
    time += pause;
    now.workers = adapts.look(now, time);
    pause = adapts.pause(now.workers);
  }

  void items_wait(double idle_processors) {
    now.items_wait = true;
    now.idle = 0;
    now.busy = 1000;
    now.idle_processors = idle_processors;
    if (!adapts.want()) return;
    CHECK(adapts.take_wanted());
    pause = tuning::adapt_look;
  }

  void nothing_waits(std::uint32_t idle) {
    now.items_wait = false;
    now.idle = idle;
  }
};

}  // namespace

TEST_CASE("adaptation: a pool grows by one worker at each look, up to the most it may have") {
  world w{2, 64, 10s};
  w.items_wait(1.5);
  const auto begun = w.time;
  while (w.now.workers != 64) {
    const auto before = w.now.workers;
    w.look();
    REQUIRE(w.now.workers == before + 1);
  }
  CHECK(w.time - begun == 62 * tuning::adapt_look);
  w.look();
  CHECK(w.now.workers == 64);
}

TEST_CASE("adaptation: a pool does not grow while its processors are busy") {
  world w{2, 64, 10s};
  w.items_wait(tuning::idle_enough * 0.9);
  for (int i = 0; i != 1000; ++i) w.look();
  CHECK(w.now.workers == 2);
  CHECK(w.pause == tuning::idle_window);  // to look costs time, too
  w.items_wait(2);
  w.look();
  CHECK(w.now.workers == 3);
  CHECK(w.pause == tuning::adapt_look);
}

TEST_CASE("adaptation: a pool does not grow before all its workers hold items") {
  world w{2, 64, 10s};
  w.items_wait(2);
  w.now.busy = 1;
  for (int i = 0; i != 100; ++i) w.look();
  CHECK(w.now.workers == 2);
}

TEST_CASE("adaptation: as many workers leave as were idle at each look of an idle_timeout") {
  world w{2, 64, 10s};
  w.now.workers = 40;
  w.items_wait(0);
  w.look();
  const auto begun = w.time;
  std::uint32_t idle = 30;
  while (w.now.workers == 40) {
    w.nothing_waits(idle);
    w.look();
    idle = idle == 30 ? 25 : 30;  // at some looks five of them are needed
  }
  CHECK(w.now.workers == 15);
  CHECK(w.time - begun >= 10s);
  CHECK(w.time - begun <= 12s);
  w.nothing_waits(15);
  while (w.pause.count() != 0) w.look();
  CHECK(w.now.workers == 2);
  CHECK(w.time - begun <= 24s);
}

TEST_CASE("adaptation: nobody leaves while items wait now and then") {
  world w{2, 64, 10s};
  w.now.workers = 40;
  for (int i = 0; i != 1000; ++i) {
    w.items_wait(0);
    w.look();
    w.nothing_waits(30);
    w.look();
  }
  CHECK(w.now.workers == 40);
}

TEST_CASE("adaptation: it is dormant without need, and always in a pool that may not grow") {
  world w{2, 64, 10s};
  w.items_wait(0);
  CHECK_FALSE(w.adapts.want());  // a look is under way
  CHECK_FALSE(w.adapts.take_wanted());
  w.nothing_waits(2);
  w.look();
  CHECK(w.pause.count() == 0);
  CHECK(w.adapts.want());

  adaptation fixed;
  fixed.allow({4, 4, 10s});
  CHECK_FALSE(fixed.want());
  CHECK_FALSE(adaptation{}.want());
}

TEST_CASE("adaptation: what a user has resized to is what it goes back to") {
  world w{2, 8, 1s};
  w.adapts.resize(6);
  w.now.workers = 6;
  w.items_wait(2);
  for (int i = 0; i != 20; ++i) w.look();
  CHECK(w.now.workers == 8);
  w.nothing_waits(8);
  while (w.pause.count() != 0) w.look();
  CHECK(w.now.workers == 6);
  w.adapts.resize(12);  // more than the most: there is nothing to adapt
  CHECK_FALSE(w.adapts.want());
}

TEST_CASE("adaptation: a pool that is resized back and forth grows as before, and no further") {
  world w{2, 8, 1s};
  w.items_wait(2);
  w.adapts.resize(8);
  w.now.workers = 8;
  w.look();
  CHECK(w.pause.count() == 0);  // as many as at rest, and as may be
  w.adapts.resize(2);
  w.now.workers = 2;
  w.items_wait(2);
  for (int i = 0; i != 20; ++i) w.look();
  CHECK(w.now.workers == 8);

  world above{2, 4, 1s};
  above.adapts.resize(12);
  above.adapts.resize(2);
  above.items_wait(2);
  for (int i = 0; i != 20; ++i) above.look();
  CHECK(above.now.workers == 4);

  adaptation fixed;
  fixed.resize(8);
  fixed.resize(2);
  CHECK_FALSE(fixed.want());
}

TEST_CASE("idle processors: no more than a control group leaves of its quota") {
  using fmap::detail::idle_between;
  using sample = fmap::detail::processor_times;
  const time_point t{1h};
  const sample before{t, 3s, {10s}};
  CHECK(idle_between(before, {t + 1s, 5s, {10s}}, {}) == Approx(2));
  CHECK(idle_between(before, {t + 1s, 5s, {11s}}, {1.5}) == Approx(0.5));
  CHECK(idle_between(before, {t + 1s, 5s, {12s}}, {1.5}) == 0);
  CHECK(idle_between(before, {t + 1s, 3500ms, {10s}}, {1.5}) == Approx(0.5));
  CHECK(idle_between(before, {t + 1s, 2s, {10s}}, {}) == 0);  // a processor is gone
}

TEST_CASE("idle ticks: of the processors that may be used, those that wait for a disk included") {
  std::istringstream stat{"cpu  1 2 3 400 50 0 0 0 0 0\n"
                          "cpu0 1 2 3 100 20 0 0 0 0 0\n"
                          "cpu1 1 2 3 200 20 0 0 0 0 0\n"
                          "cpu12 1 2 3 100 10 0 0 0 0 0\n"
                          "intr 1 2 3\n"};
  CHECK(fmap::detail::idle_ticks(stat, [](std::size_t p) { return p != 1; }) == 230);
  std::istringstream nothing{"intr 1 2 3\n"};
  CHECK_FALSE(fmap::detail::idle_ticks(nothing, [](std::size_t) { return true; }));
}
