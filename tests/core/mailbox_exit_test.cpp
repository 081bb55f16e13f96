// SPDX-License-Identifier: BSD-3-Clause
// Maps on plain threads that are left early, at random points, in every way there is.

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>

#include <fmap/errors.hpp>
#include <fmap/future_map.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"
#include "support/seed.hpp"
#include "support/thread_rig.hpp"

using fmap::future_map;
using testing::counted;
using testing::dice;
using testing::thread_rig;

namespace {

#ifdef __SANITIZE_THREAD__
constexpr int rounds = 100;
#else
constexpr int rounds = 250;
#endif

struct on_purpose : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One map of counted items that ends in one way or another; hooks are called as it goes.
struct scene {
  scene(dice& random, std::uint64_t size) : size{size} {
    options.buffersize = 1 + random.below(random.one_in(3) ? 300 : 8);
    options.ordered = random.one_in(2);
    if (random.one_in(3)) options.chunksize = 1 + random.below(*options.buffersize);
    at = random.below(random.one_in(2) ? 10 : 300);
    slowness = random.below(4);
  }

  auto make(thread_rig& rig) {
    auto range = testing::made_range{[this](std::uint64_t i) {
                                       if (i == at && when_pulling) when_pulling();
                                       pulled = i;
                                       if (slowness == 1) std::this_thread::yield();
                                       return counted{static_cast<int>(i)};
                                     },
                                     size};
    auto fn = [this](counted c) {
      if (static_cast<std::uint64_t>(c.value()) == at && when_running) when_running();
      if (slowness == 2) std::this_thread::yield();
      return c;
    };
    return future_map{rig, fn, std::move(range), options};
  }

  /// Takes results until something happens.
  void consume(thread_rig& rig) {
    auto map = make(rig);
    for (const counted& c : map) {
      if (c.value() == counted::gone) throw std::logic_error{"a result that has been moved away"};
      if (taken++ == at && when_taking && !when_taking()) break;
      if (slowness == 3) std::this_thread::yield();
    }
  }

  std::uint64_t size, at = 0, taken = 0, slowness = 0;
  std::atomic<std::uint64_t> pulled{0};
  fmap::map_options options;
  std::function<void()> when_pulling, when_running;
  std::function<bool()> when_taking;  // false: leave the loop
};

constexpr std::uint64_t endless = std::uint64_t{1} << 40;

/// Plays `round` again and again, and looks for what it left behind.
void repeat(const std::function<void(dice&, thread_rig&)>& round) {
  const std::uint64_t seed = testing::seed();
  INFO(testing::seed_message(seed));
  dice random{seed};
  thread_rig rig(3);
  for (int i = 0; i != rounds; ++i) {
    round(random, rig);
    if (counted::alive != 0) REQUIRE(counted::alive == 0);
  }
  CHECK(counted::copies == 0);
}

/// The same where the pool does not survive a round.
void repeat_with_new_pools(const std::function<void(dice&, thread_rig&)>& round) {
  const std::uint64_t seed = testing::seed();
  INFO(testing::seed_message(seed));
  dice random{seed};
  for (int i = 0; i != rounds / 2; ++i) {
    {
      thread_rig rig(1 + static_cast<std::uint32_t>(random.below(3)));
      round(random, rig);
    }
    if (counted::alive != 0) REQUIRE(counted::alive == 0);
  }
}

}  // namespace

TEST_CASE("exit: break out of the loop") {
  repeat([](dice& random, thread_rig& rig) {
    scene s{random, endless};
    s.when_taking = [] { return false; };
    s.consume(rig);
    REQUIRE(s.taken == s.at + 1);
  });
}

TEST_CASE("exit: an exception in the loop") {
  repeat([](dice& random, thread_rig& rig) {
    scene s{random, endless};
    s.when_taking = []() -> bool { throw on_purpose{"consumer"}; };
    REQUIRE_THROWS_AS(s.consume(rig), on_purpose);
  });
}

TEST_CASE("exit: a map that was never begun") {
  repeat([](dice& random, thread_rig& rig) {
    scene s{random, endless};
    s.when_pulling = [] { std::terminate(); };
    s.at = 0;
    auto map = s.make(rig);
    if (random.one_in(2)) auto moved = std::move(map);
  });
}

TEST_CASE("exit: a stop requested by another thread") {
  repeat([](dice& random, thread_rig& rig) {
    scene s{random, endless};
    std::stop_source stop;
    s.options.stop = stop.get_token();
    std::thread stopper{[&] {
      while (s.pulled < s.at) std::this_thread::yield();
      stop.request_stop();
    }};
    s.consume(rig);
    stopper.join();
  });
}

TEST_CASE("exit: a stop requested by the function, the input or the consumer") {
  repeat([](dice& random, thread_rig& rig) {
    scene s{random, endless};
    std::stop_source stop;
    s.options.stop = stop.get_token();
    const auto request = [&] { stop.request_stop(); };
    switch (random.below(3)) {
      case 0: s.when_pulling = request; break;
      case 1: s.when_running = request; break;
      default: s.when_taking = [&] { return request(), true; };
    }
    s.consume(rig);
    REQUIRE(stop.stop_requested());
  });
}

TEST_CASE("exit: an input that throws, after the results of what it gave") {
  repeat([](dice& random, thread_rig& rig) {
    scene s{random, endless};
    s.when_pulling = [] { throw on_purpose{"input"}; };
    REQUIRE_THROWS_AS(s.consume(rig), on_purpose);
    REQUIRE(s.taken == s.at);
  });
}

TEST_CASE("exit: a function that throws") {
  repeat([](dice& random, thread_rig& rig) {
    scene s{random, endless};
    s.when_running = [] { throw on_purpose{"function"}; };
    REQUIRE_THROWS_AS(s.consume(rig), on_purpose);
    if (s.options.ordered) REQUIRE(s.taken == s.at);
  });
}

TEST_CASE("exit: errors as outcomes end nothing") {
  repeat([](dice& random, thread_rig& rig) {
    scene s{random, 300};
    s.at = random.below(300);
    s.when_running = [] { throw on_purpose{"function"}; };
    std::uint64_t good = 0, bad = 0;
    for (auto& outcome : s.make(rig).outcomes()) ++(outcome ? good : bad);
    REQUIRE(good == 299);
    REQUIRE(bad == 1);
  });
}

TEST_CASE("exit: the pool is shut down while a map lives") {
  repeat_with_new_pools([](dice& random, thread_rig& rig) {
    scene s{random, endless};
    std::thread closer{[&] {
      while (s.pulled < s.at) std::this_thread::yield();
      rig.shutdown();
    }};
    REQUIRE_THROWS_AS(s.consume(rig), fmap::pool_shutdown);
    REQUIRE(s.taken >= s.at);
    closer.join();
  });
}

TEST_CASE("exit: the pool is gone before the map") {
  repeat_with_new_pools([](dice& random, thread_rig&) {
    scene s{random, endless};
    std::optional<thread_rig> rig{std::in_place, 2};
    auto map = s.make(*rig);
    const bool begun = random.one_in(2);
    if (begun) map.begin();
    rig.reset();
    if (begun) REQUIRE(map.stats().queued + map.stats().running == 0);
  });
}

TEST_CASE("exit: the pool breaks while a map lives") {
  repeat_with_new_pools([](dice& random, thread_rig& rig) {
    scene s{random, endless};
    std::thread breaker{[&] {
      while (s.pulled < s.at) std::this_thread::yield();
      rig.box().break_up(std::make_exception_ptr(on_purpose{"pool"}));
    }};
    REQUIRE_THROWS_AS(s.consume(rig), fmap::broken_pool);
    breaker.join();
  });
}

TEST_CASE("exit: all that was pulled has an outcome when the pool breaks") {
  repeat_with_new_pools([](dice& random, thread_rig& rig) {
    scene s{random, endless};
    s.when_running = [&] { rig.box().break_up(std::make_exception_ptr(on_purpose{"pool"})); };
    auto map = s.make(rig);
    std::uint64_t outcomes = 0;
    const auto count = [&] {
      for ([[maybe_unused]] auto& outcome : map.outcomes()) ++outcomes;
    };
    REQUIRE_THROWS_AS(count(), fmap::broken_pool);
    REQUIRE(outcomes == map.stats().pulled);
    REQUIRE(map.stats().taken == outcomes);
  });
}

TEST_CASE("exit: the pool's supervisor is ended while a map lives") {
  repeat_with_new_pools([](dice& random, thread_rig& rig) {
    scene s{random, endless};
    s.when_running = [&] { rig.core()->end_supervisor(); };
    REQUIRE_THROWS_AS(s.consume(rig), fmap::broken_pool);
  });
}

TEST_CASE("exit: workers that cannot be initialised break the pool") {
  repeat_with_new_pools([](dice& random, thread_rig&) {
    std::atomic<int> starts{0};
    const int good = static_cast<int>(random.below(2));
    thread_rig rig(2, [&] {
      if (starts++ >= good) throw on_purpose{"initializer"};
    });
    scene s{random, endless};
    const auto use = [&] { s.consume(rig); };
    if (good == 0)
      REQUIRE_THROWS_AS(use(), fmap::broken_pool);
    else {
      s.when_taking = [] { return false; };
      try {
        use();
      } catch (const fmap::broken_pool&) {}
    }
  });
}

TEST_CASE("exit: a map is replaced by another one") {
  repeat([](dice& random, thread_rig& rig) {
    scene first{random, endless}, second{random, 50};
    auto map = first.make(rig);
    if (random.one_in(2)) map.begin();
    map = second.make(rig);
    for ([[maybe_unused]] const counted& c : map) ++second.taken;
    REQUIRE(second.taken == 50);
  });
}
