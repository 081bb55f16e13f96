// SPDX-License-Identifier: BSD-3-Clause
// Sources, stages and sinks with threads of their own: all items arrive, and whoever dies is noticed.
#include <atomic>
#include <cstdint>
#include <memory>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <signal.h>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>
#include <fmap/stage.hpp>

#include "support/catch.hpp"
#include "support/made_range.hpp"
#include "support/puppet.hpp"

using namespace testing;

namespace {

int next(int x) { return x + 1; }

/// An actor system, and what outlives it so that a test can look at it afterwards.
struct world {
  fmap::actor_system_config config;
  caf::actor_system system{config};
};

/// A sink that adds up.
struct adding {
  std::atomic<long> sum{0}, calls{0};
  caf::actor spawn(caf::actor_system& system, fmap::sink_options options = {}) {
    return fmap::spawn_sink<int>(
        system,
        [this](int x) {
          sum += x;
          ++calls;
        },
        std::move(options));
  }
};

}  // namespace

TEST_CASE("a range passes through stages into a function") {
  adding result;
  world w;
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0, 3000)),
                   first = fmap::spawn_stage<int, int>(w.system, next, {.workers = 2}),
                   second = fmap::spawn_stage<int, int>(w.system, next, {.buffersize = 1}),
                   sink = result.spawn(w.system);
  const obituary end{sink}, others[] = {obituary{source}, obituary{first}, obituary{second}};
  fmap::connect(first, second);
  fmap::connect(source, first);
  fmap::connect(second, sink);
  CHECK(end.awaited() == "");
  for (const auto& o : others) CHECK(o.awaited() == "");
  CHECK(result.calls == 3000);
  CHECK(result.sum == 2999L * 3000 / 2 + 6000);
}

TEST_CASE("stages may take what is there in one call, with threads and with processes") {
  adding result;
  world w;
  constexpr auto fn = [](std::span<const int> in, fmap::delivery<int> deliver) {
    for (std::size_t i = in.size(); i-- != 0;) deliver(i, in[i] + 1);
  };
  fmap::process_pool pool{2};
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0, 3000)),
                   first = fmap::spawn_stage<int, int>(w.system, fmap::on_batches(fn)),
                   second = fmap::spawn_stage<int, int>(w.system, pool, fmap::on_batches(fn)),
                   sink = result.spawn(w.system);
  const obituary end{sink};
  fmap::connect(first, second);
  fmap::connect(source, first);
  fmap::connect(second, sink);
  CHECK(end.awaited() == "");
  CHECK(result.calls == 3000);
  CHECK(result.sum == 3000L * 2999 / 2 + 2 * 3000);
}

TEST_CASE("a source straight into a sink, in order; a range without elements") {
  world w;
  const int n = GENERATE(0, 1, 1000);
  std::vector<int> seen;
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0, n)),
                   sink = fmap::spawn_sink<int>(w.system, [&](int x) { seen.push_back(x); },
                                                {.buffersize = 3});
  const obituary end{sink};
  fmap::connect(source, sink);
  CHECK(end.awaited() == "");
  CHECK(seen == std::vector<int>(std::views::iota(0, n).begin(), std::views::iota(0, n).end()));
}

TEST_CASE("an ordered stage with several workers keeps the order") {
  world w;
  std::vector<int> seen;
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0, 2000)),
                   stage = fmap::spawn_stage<int, int>(
                       w.system, next, {.workers = 3, .buffersize = 24, .ordered = true}),
                   sink = fmap::spawn_sink<int>(w.system, [&](int x) { seen.push_back(x); });
  const obituary end{sink};
  fmap::connect(source, stage);
  fmap::connect(stage, sink);
  CHECK(end.awaited() == "");
  CHECK(seen
        == std::vector<int>(std::views::iota(1, 2001).begin(), std::views::iota(1, 2001).end()));
}

TEST_CASE("a stage shares a thread_pool with a map") {
  adding result;
  world w;
  fmap::thread_pool pool{2};
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0, 1000)),
                   stage = fmap::spawn_stage<int, int>(w.system, pool, next, {.buffersize = 8}),
                   sink = result.spawn(w.system);
  const obituary end{sink};
  fmap::connect(source, stage);
  fmap::connect(stage, sink);
  long sum = 0;
  for (int v : fmap::future_map(pool, next, std::views::iota(0, 1000), 8)) sum += v;
  CHECK(sum == 500500);
  CHECK(end.awaited() == "");
  CHECK(result.sum == 500500);
  CHECK(pool.submit(next, 1).get() == 2);
}

TEST_CASE("a stage on worker processes; an item that kills its process is a failure") {
  adding result;
  world w;
  std::vector<std::string> failures;
  constexpr auto dangerous = [](int x) {
    if (x == 50) ::raise(SIGKILL);
    if (x == 60) throw std::runtime_error{"sixty"};
    return x;
  };
  fmap::process_pool pool{2};
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0, 100)),
                   stage = fmap::spawn_stage<int, int>(w.system, pool, dangerous,
                                                       {.buffersize = 8, .max_attempts = 1}),
                   sink = result.spawn(w.system, {.on_failure = [&](const fmap::failure&f) {
                                         failures.push_back(std::to_string(f.index) + ' ' + f.what);
                                       }});
  const obituary end{sink};
  fmap::connect(source, stage);
  fmap::connect(stage, sink);
  CHECK(end.awaited() == "");
  CHECK(result.calls + static_cast<long>(failures.size()) == 100);
  bool lost = false, thrown = false;
  for (const auto& f : failures) {
    lost = lost || f.substr(0, 3) == "50 ";
    thrown = thrown || f == "60 sixty";
  }
  CHECK(lost);
  CHECK(thrown);
}

TEST_CASE("what a source's range throws is the reason of the end, after the elements before") {
  adding result;
  world w;
  const auto make = [](std::uint64_t i) {
    if (i == 20) throw std::runtime_error{"disk full"};
    return static_cast<int>(i);
  };
  const caf::actor source = fmap::spawn_source(w.system, made_range{make, 100}),
                   stage = fmap::spawn_stage<int, int>(w.system, next, {.buffersize = 4}),
                   sink = result.spawn(w.system);
  const obituary end{sink}, of_stage{stage};
  fmap::connect(source, stage);
  fmap::connect(stage, sink);
  CHECK(end.awaited() == "disk full");
  CHECK(of_stage.awaited() == "disk full");
  CHECK(result.calls == 20);
}

TEST_CASE("a failure that a sink is not told how to treat ends the chain") {
  world w;
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0)),
                   stage = fmap::spawn_stage<int, int>(w.system,
                                                       [](int x) -> int {
                                                         if (x == 100)
                                                           throw std::runtime_error{"hundred"};
                                                         return x;
                                                       },
                                                       {.workers = 1}),
                   sink = fmap::spawn_sink<int>(w.system, [](int) {});
  const obituary end{sink}, of_stage{stage}, of_source{source};
  fmap::connect(source, stage);
  fmap::connect(stage, sink);
  CHECK(end.awaited() == "fmap: item 100 failed: hundred");
  CHECK(of_stage.awaited() == "fmap: item 100 failed: hundred");
  CHECK(of_source.awaited() == "fmap: item 100 failed: hundred");
}

TEST_CASE("a source speaks the protocol with a user's actor") {
  world w;
  puppet down{w.system}, stranger{w.system};
  caf::actor source = fmap::spawn_source(w.system, std::views::iota(0, 5));
  const obituary end{source};
  stranger.tells(source, fmap::demand{3});
  CHECK(stranger.heard(1)
        == lines{"refused: fmap: demand from an actor that is not attached: send "
                 "fmap::attach_sink first"});
  down.tells(source, fmap::attach_sink{});
  down.tells(source, fmap::attach_sink{});
  CHECK(down.heard(1) == lines{"refused: fmap: this source has a downstream already"});
  for (puppet* who : {&stranger, &down}) {
    who->tells(source, fmap::end{});
    CHECK(who->heard(1) == lines{"refused: fmap: a source is sent no end"});
  }
  stranger.tells(source, fmap::stop{});
  CHECK(stranger.heard(1) == lines{"refused: fmap: stop from an actor that is not attached"});
  down.tells(source, fmap::demand{0});
  down.tells(source, fmap::demand{2});
  CHECK(down.heard(2) == lines{"0", "1"});
  down.asks(source, 5);
  CHECK(down.heard(1) == lines{"refused: unexpected_message"});
  SECTION("to the end") {
    down.tells(source, fmap::demand{std::uint64_t{1} << 63});
    down.tells(source, fmap::demand{std::uint64_t{1} << 63});
    CHECK(down.heard(4) == lines{"2", "3", "4", "end"});
    CHECK(end.awaited() == "");
  }
  SECTION("until stop") {
    down.tells(source, fmap::stop{});
    CHECK(end.awaited() == "");
    CHECK(down.heard().empty());
  }
  SECTION("until it is ended") {
    caf::anon_send_exit(source, caf::exit_reason::kill);
    CHECK(down.heard(1) == lines{"end: kill"});
    CHECK(end.awaited() == "kill");
  }
  SECTION("until its last handle is dropped") {
    source = nullptr;
    CHECK(down.heard(1)
          == lines{"end: fmap: the source ended before its work was done" + no_handle});
  }
  SECTION("until its downstream dies") {
    down.dies(death::error);
    CHECK(end.awaited() == "ill");
  }
  CHECK(stranger.alive());
}

TEST_CASE("a stage whose source is killed finishes, and names the reason") {
  adding result;
  world w;
  caf::actor source = fmap::spawn_source(w.system, std::views::iota(0));
  const caf::actor stage = fmap::spawn_stage<int, int>(w.system, next, {.buffersize = 4}),
                   sink = result.spawn(w.system);
  const obituary end{sink}, of_stage{stage};
  fmap::connect(source, stage);
  fmap::connect(stage, sink);
  REQUIRE(eventually([&] { return result.calls > 100; }));
  caf::anon_send_exit(source, caf::exit_reason::kill);
  CHECK(end.awaited() == "kill");
  CHECK(of_stage.awaited() == "kill");
}

TEST_CASE("connecting a downstream a second time ends the newcomer, and nobody else") {
  adding result;
  world w;
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0)),
                   other = fmap::spawn_source(w.system, std::views::iota(0)),
                   sink = result.spawn(w.system);
  const obituary end{sink}, of_other{other};
  fmap::connect(source, sink);
  REQUIRE(eventually([&] { return result.calls > 10; }));
  fmap::connect(other, sink);
  CHECK(of_other.awaited() == "fmap: this sink has had an upstream already");
  const long so_far = result.calls;
  CHECK(eventually([&] { return result.calls > so_far + 100; }));
  CHECK(end.alive());
}

TEST_CASE("connect wants two actors") {
  world w;
  const caf::actor source = fmap::spawn_source(w.system, std::views::iota(0));
  CHECK_THROWS_AS(fmap::connect(source, {}), std::invalid_argument);
  CHECK_THROWS_AS(fmap::connect({}, source), std::invalid_argument);
}
