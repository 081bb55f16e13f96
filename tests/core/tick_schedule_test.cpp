// SPDX-License-Identifier: BSD-3-Clause
// When the tick comes: arithmetic on a clock that the test moves.

#include <algorithm>
#include <chrono>
#include <vector>

#include "src/kernel/tick_schedule.hpp"
#include "support/catch.hpp"

using namespace fmap::kernel;
using namespace std::chrono_literals;

namespace {

using us = std::chrono::microseconds;

/// A schedule, and the time.
struct clockwork {
  /// The pauses between the next ticks, before each of which somebody may do its work.
  std::vector<us> pauses(int ticks, bool others, bool relied_on) {
    std::vector<us> result;
    for (int i = 0; i != ticks; ++i) {
      now += 500us;
      if (others) s.passed(now);
      now += 1us;
      s.ticked(now, relied_on);
      s.want();
      result.push_back(s.go_on(false));
    }
    return result;
  }

  tick_schedule s;
  clock::time_point now{1s};
};

}  // namespace

TEST_CASE("tick: it is asked for once, and every half millisecond while nobody does its work") {
  clockwork c;
  CHECK_FALSE(c.s.running());
  CHECK_FALSE(c.s.take_wanted());
  CHECK(c.s.want());
  CHECK(c.s.running());
  CHECK_FALSE(c.s.want());
  CHECK(c.s.take_wanted());
  CHECK_FALSE(c.s.take_wanted());
  CHECK(c.pauses(3, false, true) == std::vector<us>{500us, 500us, 500us});
  CHECK(c.pauses(2, false, false) == std::vector<us>{500us, 500us});
}

TEST_CASE("tick: while others do its work it comes half as often each time") {
  clockwork c;
  c.s.want();
  CHECK(c.pauses(7, true, false) == std::vector<us>{1ms, 2ms, 4ms, 8ms, 16ms, 16ms, 16ms});
  CHECK(c.s.rare());
  CHECK(c.pauses(1, true, true) == std::vector<us>{2ms});
  CHECK_FALSE(c.s.rare());
  CHECK(c.pauses(2, true, true) == std::vector<us>{2ms, 2ms});
  CHECK(c.pauses(1, false, true) == std::vector<us>{500us});
}

TEST_CASE(
    "tick: it ends when nothing has been put off since the last one, and nothing will be due") {
  tick_schedule s;
  s.want();
  s.ticked(clock::time_point{1s}, true);
  CHECK(s.go_on(false) == 500us);  // something was put off before
  s.ticked(clock::time_point{2s}, true);
  CHECK(s.go_on(true) == 500us);
  s.ticked(clock::time_point{3s}, true);
  CHECK(s.go_on(false) == 0us);
  CHECK_FALSE(s.running());
  CHECK(s.want());
}

TEST_CASE("tick: a rare one is hastened, another one is not") {
  clockwork c;
  CHECK_FALSE(c.s.hasten());
  c.s.want();
  c.s.take_wanted();
  CHECK_FALSE(c.s.hasten());
  c.pauses(2, true, false);
  CHECK_FALSE(c.s.hasten());
  c.pauses(1, true, false);
  REQUIRE(c.s.rare());
  CHECK(c.s.hasten());
  CHECK_FALSE(c.s.rare());
  CHECK(c.s.take_wanted());
  CHECK(c.pauses(1, true, false) == std::vector<us>{1ms});
}

TEST_CASE("tick: its work is due in passing when nobody has done it for half a millisecond") {
  tick_schedule s;
  const clock::time_point begun{1s};
  CHECK_FALSE(s.due_in_passing(begun));
  s.want();
  CHECK(s.due_in_passing(begun));
  s.passed(begun);
  CHECK_FALSE(s.due_in_passing(begun + 499us));
  CHECK(s.due_in_passing(begun + 500us));
  s.ticked(begun + 400us, true);
  CHECK_FALSE(s.due_in_passing(begun + 899us));
  CHECK(s.due_in_passing(begun + 900us));
}
