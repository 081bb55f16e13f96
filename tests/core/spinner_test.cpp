// SPDX-License-Identifier: BSD-3-Clause
// Looking again before going to sleep: how often, and when not.

#include <chrono>
#include <functional>

#include "src/kernel/spinner.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;

namespace {

/// A processor whose other threads take as long for their turn as the test says.
struct tame_processor {
  using clock = std::chrono::steady_clock;
  static inline clock::time_point time{1h};
  static inline clock::duration turn{};
  static inline unsigned processors = 2;
  static unsigned number() { return processors; }
  static clock::time_point now() { return time; }
  static void yield() { time += turn; }
};

using spinner = fmap::kernel::basic_spinner<tame_processor>;

/// Says whether it is there at the `at`th look, and counts the looks.
struct thing {
  int at = 0, looks = 0;
  bool operator()() { return ++looks == at; }
};

int looks_in_vain(spinner& s) {
  thing never;
  CHECK_FALSE(s.wait(std::ref(never)));
  return never.looks;
}

}  // namespace

TEST_CASE("spinner: who waits looks for 50 microseconds, or for 64 turns of others") {
  const auto turn = GENERATE(100ns, 1us, 10us);
  const int looks = turn == 100ns ? 500 : 64;
  tame_processor::turn = turn;
  spinner s;
  thing in_time{.at = looks}, late{.at = looks + 1};
  CHECK(s.wait(std::ref(in_time)));
  CHECK_FALSE(s.wait(std::ref(late)));
  CHECK(late.looks == looks);
}

TEST_CASE("spinner: who waits briefly looks four times") {
  tame_processor::turn = 1us;
  spinner s;
  thing in_time{.at = 4}, late{.at = 5};
  CHECK(s.wait_briefly(std::ref(in_time)));
  CHECK_FALSE(s.wait_briefly(std::ref(late)));
}

TEST_CASE("spinner: who waits briefly may also look for some time") {
  const auto turn = GENERATE(1us, 10us);
  const int looks = turn == 1us ? 25 : 4;
  tame_processor::turn = turn;
  spinner s;
  thing in_time{.at = looks}, late{.at = looks + 1};
  CHECK(s.wait_briefly(std::ref(in_time), 25us));
  CHECK_FALSE(s.wait_briefly(std::ref(late), 25us));
}

TEST_CASE("spinner: who waits in vain does so less and less often, until it was not in vain") {
  tame_processor::turn = 1us;
  spinner s;
  for (const int skipped : {1, 3, 7, 15, 15}) {
    CHECK(looks_in_vain(s) == 64);
    for (int i = 0; i != skipped; ++i) CHECK(looks_in_vain(s) == 0);
  }
  thing there{.at = 1};
  CHECK(s.wait(std::ref(there)));
  CHECK(looks_in_vain(s) == 64);
  CHECK(looks_in_vain(s) == 0);
  CHECK(looks_in_vain(s) == 64);
}

TEST_CASE("spinner: who has lost the processor for long gives way to nobody for 16 times as long") {
  tame_processor::turn = 4ms;
  spinner s;
  SECTION("while it waited") { CHECK(looks_in_vain(s) == 1); }
  SECTION("while it waited, and not in vain") {
    thing there{.at = 1};
    CHECK(s.wait(std::ref(there)));
  }
  SECTION("while it waited briefly") {
    thing never;
    CHECK_FALSE(s.wait_briefly(std::ref(never)));
    CHECK(never.looks == 1);
  }
  SECTION("while it gave way") { s.give_way(); }
  const auto lost_at = tame_processor::time;
  s.give_way();
  CHECK(tame_processor::time == lost_at);
  thing there{.at = 1};
  tame_processor::time += 63ms;
  CHECK_FALSE(s.wait_briefly(std::ref(there)));
  CHECK(there.looks == 0);
  tame_processor::time += 1ms;
  CHECK(s.wait_briefly(std::ref(there)));
}

TEST_CASE("spinner: where many share a processor, each may be away for longer") {
  tame_processor::processors = GENERATE(2u, 64u);
  tame_processor::turn = 4ms;
  spinner s, others[100];
  thing in_time{.at = 4};
  CHECK(s.wait_briefly(std::ref(in_time)) == (tame_processor::processors == 2));
  CHECK(in_time.looks == (tame_processor::processors == 2 ? 4 : 1));
  tame_processor::processors = 2;
}

TEST_CASE("spinner: who was stopped for minutes gives way again after less than two seconds") {
  tame_processor::turn = 10min;
  spinner s;
  s.give_way();
  tame_processor::time += 1600ms;
  tame_processor::turn = 1us;
  thing there{.at = 1};
  CHECK(s.wait(std::ref(there)));
}
