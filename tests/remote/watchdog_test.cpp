// SPDX-License-Identifier: BSD-3-Clause
// What a watchdog says, and when it has to look again.
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "src/remote/watchdog.hpp"
#include "support/catch.hpp"

using namespace fmap::remote;
using namespace std::chrono_literals;
using order = watch_order::kind;

namespace {

/// What a peer holds, as the test says.
struct made_up {
  std::uint32_t items = 0;
  bool busy = false;
  item_timeouts limits{};
  std::vector<std::pair<item_id, std::chrono::nanoseconds>> running{};

  std::uint32_t calls(std::uint32_t) const { return items; }
  bool at_work() const { return busy; }
  item_timeouts timeouts() const { return limits; }
  template <class F>
  void each_running(F f) const {
    for (const auto& [item, limit] : running)
      if (f(item, limit)) return;
  }
};

/// All of the time is watched, unless said otherwise.
watchdog::moment at(std::chrono::nanoseconds t) { return {clock::time_point{t}, t}; }
watchdog::moment at(std::chrono::nanoseconds t, std::chrono::nanoseconds watched) {
  return {clock::time_point{t}, watched};
}

constexpr item_id first{1, 0}, second{1, 1};
constexpr std::chrono::nanoseconds for_ever = std::chrono::nanoseconds::max();

}  // namespace

TEST_CASE("watchdog: what waits for a slow item is called back") {
  struct row {
    std::uint32_t items;
    bool busy;
    std::chrono::nanoseconds since;
    order expected;
  };
  const row rows[] = {
      {3, true, 10ms, order::recall},  {3, true, 9'999us, order::nothing},
      {2, true, 10ms, order::nothing},                                  // as many as it has threads
      {0, false, 1h, order::nothing},  {3, false, 1h, order::nothing},  // it has begun nothing
  };
  for (const row& r : rows) {
    INFO(r.items << " items, " << (r.busy ? "at work" : "idle") << ", " << r.since.count()
                 << " ns");
    watchdog dog{2, at(1s)};
    CHECK(dog.look(at(1s + r.since), made_up{r.items, r.busy}, true).what == r.expected);
    CHECK(dog.stalled() == (r.expected == order::recall));
  }
}

TEST_CASE("watchdog: items are called back once, until an item is done") {
  watchdog dog{1, at(0s)};
  const made_up held{5, true};
  CHECK(dog.look(at(10ms), held, true).what == order::recall);
  CHECK(dog.look(at(1s), held, true).what == order::nothing);
  CHECK(dog.stalled());
  dog.progress(at(2s));
  dog.resume();
  CHECK_FALSE(dog.stalled());
  CHECK(dog.look(at(2s), held, true).what == order::nothing);
  CHECK(dog.look(at(2s + 10ms), held, true).what == order::recall);
}

TEST_CASE("watchdog: an item's time begins when it is first seen to run") {
  watchdog dog{1, at(0s)};
  const made_up held{1, true, {1s, 1s}, {{first, 1s}}};
  CHECK(dog.look(at(10s), held, true).what == order::nothing);
  CHECK(dog.look(at(10s + 999ms), held, true).what == order::nothing);
  CHECK(dog.look(at(11s), held, true) == watch_order{order::kill_item, first});
  CHECK(dog.expired() == first);
  CHECK(dog.look(at(12s), held, true).what == order::nothing);
}

TEST_CASE("watchdog: one that has ended meanwhile begins anew") {
  watchdog dog{1, at(0s)};
  const auto running = [](item_id item) { return made_up{1, true, {1s, 1s}, {{item, 1s}}}; };
  CHECK(dog.look(at(0s), running(first), true).what == order::nothing);
  CHECK(dog.look(at(900ms), running(second), true).what == order::nothing);
  CHECK(dog.look(at(1100ms), running(first), true).what == order::nothing);
  CHECK(dog.look(at(2s), running(first), true).what == order::nothing);
  CHECK(dog.look(at(2100ms), running(first), true) == watch_order{order::kill_item, first});
}

TEST_CASE("watchdog: the first of several that have run for too long is the one") {
  watchdog dog{2, at(0s)};
  const made_up held{2, true, {1s, 2s}, {{first, 2s}, {second, 1s}}};
  CHECK(dog.look(at(0s), held, true).what == order::nothing);
  CHECK(dog.look(at(3s), held, true) == watch_order{order::kill_item, first});
}

TEST_CASE("watchdog: time in which nobody watched is not the item's") {
  watchdog dog{1, at(0s)};
  const made_up held{1, true, {1s, 1s}, {{first, 1s}}};
  CHECK(dog.look(at(0s, 0s), held, true).what == order::nothing);
  CHECK(dog.look(at(24h, 500ms), held, true).what == order::nothing);
  CHECK(dog.look(at(48h, 1s), held, true).what == order::kill_item);
}

TEST_CASE("watchdog: a peer that does nothing with what it has") {
  struct row {
    const char* what;
    bool ready;
    std::chrono::nanoseconds most, since;
    bool runs;
    order expected;
  };
  const row rows[] = {
      {"late", true, 2s, 3s + 1ns, false, order::kill},
      {"just in time", true, 2s, 3s, false, order::nothing},
      {"at its initializer", false, 2s, 1h, false, order::nothing},
      {"at an item", true, 1h, 1h + 30min, true, order::nothing},
      {"the longest limit there is", true, for_ever, 1h, false, order::nothing},
      {"no limit", true, 0s, 1h, false, order::nothing},
  };
  for (const row& r : rows) {
    INFO(r.what);
    watchdog dog{1, at(5s)};
    made_up held{1, r.runs, {r.most, r.most}, {}};
    if (r.runs) held.running.push_back({first, r.most});
    CHECK(dog.look(at(5s + r.since), held, r.ready) == watch_order{r.expected, {}});
    CHECK_FALSE(dog.expired());
  }
}

TEST_CASE("watchdog: a peer that was told to finish") {
  watchdog dog{1, at(0s)};
  CHECK_FALSE(dog.quitting());
  dog.quit(at(10s));
  CHECK(dog.quitting());
  CHECK(dog.look(at(15s), made_up{}, true).what == order::nothing);
  CHECK(dog.look(at(1h, 15s), made_up{}, true).what == order::nothing);
  CHECK(dog.look(at(15s + 1ns), made_up{}, true) == watch_order{order::kill, {}});
}

TEST_CASE("watchdog: when it has to look again") {
  struct row {
    std::uint32_t items;
    std::chrono::nanoseconds least;
    bool quitting;
    int expected;
  };
  const row rows[] = {
      {0, 0s, false, -1},   {1, 0s, false, -1},  {2, 0s, false, 10},
      {1, 80ms, false, 10}, {1, 1ns, false, 1},  {1, for_ever, false, 100},
      {2, 8s, false, 10},   {2, 16ms, false, 2}, {0, 0s, true, 100},
  };
  for (const row& r : rows) {
    INFO(r.items << " items, " << r.least.count() << " ns");
    watchdog dog{1, at(0s)};
    if (r.quitting) dog.quit(at(0s));
    CHECK(dog.pause(made_up{r.items, true, {r.least, r.least}}) == r.expected);
  }
}

TEST_CASE("watchdog: at a slow item it is not called for others") {
  watchdog dog{1, at(0s)};
  const made_up held{2, true};
  REQUIRE(dog.look(at(1s), held, true).what == order::recall);
  CHECK(dog.pause(held) == -1);
}
