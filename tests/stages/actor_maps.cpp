// SPDX-License-Identifier: BSD-3-Clause
// Maps whose function is an actor.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <ranges>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include <fmap/actor.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/made_range.hpp"
#include "support/puppet.hpp"

using namespace testing;

namespace {

struct world {
  caf::actor_system_config config;
  caf::actor_system system{config};
};

caf::behavior doubling() {
  return {[](int x) -> caf::result<int> {
    if (x == 13) return caf::make_error(caf::sec::runtime_error, "thirteen");
    return 2 * x;
  }};
}

/// Dies when it is asked for the 50th time.
caf::behavior mortal(caf::event_based_actor* self, death how, int asked = 0) {
  return {[self, how, asked](int x) mutable -> caf::result<int> {
    if (++asked == 50) die_now(self, how);
    return x;
  }};
}

}  // namespace

TEST_CASE("a map over a dynamically typed actor") {
  world w;
  const caf::actor adder =
      w.system.spawn([]() -> caf::behavior { return {[](int x) { return x + 1; }}; });
  long sum = 0;
  for (int r : fmap::future_map<int>(w.system, adder, std::views::iota(0, 1000), 8)) sum += r;
  CHECK(sum == 500500);
}

TEST_CASE("over a statically typed actor the result type is deduced") {
  using upper = answers<int, std::string>;
  world w;
  const upper actor = w.system.spawn(
      []() -> upper::behavior_type { return {[](int x) { return std::to_string(x); }}; });
  std::vector<std::string> seen;
  fmap::future_map map{w.system, actor, std::views::iota(0, 5),
                       fmap::map_options{.buffersize = 2, .ordered = true}};
  static_assert(std::same_as<decltype(map), fmap::future_map<std::string>>);
  for (auto& s : map) seen.push_back(s);
  CHECK(seen == std::vector<std::string>{"0", "1", "2", "3", "4"});
  int results = 0;
  for ([[maybe_unused]] auto& s : fmap::future_map(w.system, actor, std::views::iota(0, 50)))
    ++results;
  CHECK(results == 50);
}

TEST_CASE("an actor that answers nothing yields monostates") {
  world w;
  std::atomic<int> sum{0};
  using eater = answers<int, void>;
  const eater actor =
      w.system.spawn([&sum]() -> eater::behavior_type { return {[&sum](int x) { sum += x; }}; });
  fmap::future_map map{w.system, actor, std::views::iota(0, 10), 3};
  static_assert(std::same_as<decltype(map), fmap::future_map<std::monostate>>);
  int results = 0;
  for ([[maybe_unused]] auto nothing : map) ++results;
  CHECK(results == 10);
  CHECK(sum == 45);
  const auto dynamic = caf::actor_cast<caf::actor>(actor);
  for ([[maybe_unused]] auto nothing :
       fmap::future_map<std::monostate>(w.system, dynamic, std::views::iota(0, 10), 3))
    ++results;
  CHECK(results == 20);
}

TEST_CASE("an error answer is that item's error") {
  world w;
  const caf::actor actor = w.system.spawn(doubling);
  fmap::future_map<int> map{w.system, actor, std::views::iota(0, 30), 4};
  int good = 0;
  for (auto& outcome : map.outcomes())
    if (outcome.has_value()) {
      CHECK(outcome.value() == 2 * static_cast<int>(outcome.index()));
      ++good;
    } else {
      CHECK(outcome.index() == 13);
      try {
        outcome.value();
      } catch (const fmap::actor_error& e) {
        CHECK(text_of(e.reason()) == "thirteen");
      }
    }
  CHECK(good == 29);
  fmap::future_map<int> plain{w.system, actor, std::views::iota(0, 30),
                              fmap::map_options{.buffersize = 4, .ordered = true}};
  CHECK_THROWS_AS(std::ranges::distance(plain), fmap::actor_error);
}

TEST_CASE("an answer of another type, and an actor that does not understand, are errors") {
  world w;
  const caf::actor actor = w.system.spawn(doubling);
  int errors = 0;
  fmap::future_map<std::string> strange{w.system, actor, std::views::iota(0, 5), 2};
  for (auto& outcome : strange.outcomes()) errors += !outcome.has_value();
  CHECK(errors == 5);
  const std::vector<std::string> words{"a", "b", "c"};
  fmap::future_map<int> deaf{w.system, actor, words, 2};
  for (auto& outcome : deaf.outcomes()) errors += !outcome.has_value();
  CHECK(errors == 8);
}

TEST_CASE("results come in order if that is wished, whatever the order of the answers") {
  world w;
  gate unused;
  const caf::actor actor = w.system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    // Two by two, the second one first.
    struct kept {
      caf::response_promise promise;
      int x = 0;
    };
    return {[self, first = std::optional<kept>{}](int x) mutable {
      auto promise = self->make_response_promise();
      if (!first) {
        first = kept{promise, x};
      } else {
        promise.deliver(x);
        first->promise.deliver(first->x);
        first.reset();
      }
      return promise;
    }};
  });
  std::vector<int> seen;
  for (int v : fmap::future_map<int>(w.system, actor, std::views::iota(0, 100),
                                     fmap::map_options{.buffersize = 4, .ordered = true}))
    seen.push_back(v);
  CHECK(std::ranges::is_sorted(seen));
  CHECK(seen.size() == 100);
}

TEST_CASE("the actor dies in the middle: what is outstanding fails, and endless input ends") {
  for (const death how : {death::normal, death::error, death::exit_message}) {
    world w;
    const caf::actor actor = w.system.spawn(
        [how](caf::event_based_actor* self) -> caf::behavior { return mortal(self, how); });
    fmap::future_map<int> map{w.system, actor, std::views::iota(0), 8};
    int good = 0, lost = 0;
    for (auto& outcome : map.outcomes()) (outcome.has_value() ? good : lost)++;
    CHECK(good >= 49);
    CHECK(good <= 57);  // an exit message has to wait its turn
    CHECK(lost >= 1);
    CHECK(lost <= 16);
  }
}

TEST_CASE("the actor dies with requests that it has accepted and not answered") {
  world w;
  std::atomic<int> asked{0};
  const caf::actor actor = w.system.spawn([&asked](caf::event_based_actor* self) -> caf::behavior {
    return {[self, &asked, kept = std::vector<caf::response_promise>{}](int) mutable {
      kept.push_back(self->make_response_promise());
      ++asked;
      return kept.back();
    }};
  });
  fmap::future_map<int> map{w.system, actor, std::views::iota(0), 8};
  std::thread killer{[&] {
    eventually([&] { return asked == 8; });
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  }};
  int lost = 0;
  for (auto& outcome : map.outcomes()) lost += !outcome.has_value();
  killer.join();
  CHECK(lost >= 8);
  CHECK(lost <= 16);
}

TEST_CASE("plain iteration over an actor that dies throws") {
  world w;
  const caf::actor actor = w.system.spawn(
      [](caf::event_based_actor* self) -> caf::behavior { return mortal(self, death::error); });
  fmap::future_map<int> map{w.system, actor, std::views::iota(0), 8};
  const auto all = [&] {
    for ([[maybe_unused]] int v : map) {}
  };
  CHECK_THROWS_AS(all(), fmap::actor_error);
}

TEST_CASE("an actor that is dead before the start") {
  world w;
  const caf::actor actor = w.system.spawn(doubling);
  const obituary life{actor};
  caf::anon_send_exit(actor, caf::exit_reason::kill);
  life.awaited();
  fmap::future_map<int> map{w.system, actor, std::views::iota(0), 8};
  int good = 0, lost = 0;
  for (auto& outcome : map.outcomes()) (outcome.has_value() ? good : lost)++;
  CHECK(good == 0);
  CHECK(lost >= 1);
  CHECK(lost <= 8);
  CHECK_THROWS_AS((fmap::future_map<int>{w.system, caf::actor{}, std::views::iota(0), 8}),
                  std::invalid_argument);
}

TEST_CASE("not more items than the bound are on their way to an actor") {
  world w;
  const caf::actor actor = w.system.spawn(doubling);
  const std::size_t bound = GENERATE(1u, 3u, 16u);
  std::uint64_t pulled = 0;
  std::atomic<std::uint64_t> taken{0};
  bool kept = true;
  made_range input{[&](std::uint64_t i) {
                     kept = kept && ++pulled <= taken + bound + 1;  // the consumer holds one
                     return static_cast<int>(i % 10);
                   },
                   2000};
  for ([[maybe_unused]] int v :
       fmap::future_map<int>(w.system, actor, std::move(input), static_cast<int>(bound)))
    ++taken;
  CHECK(taken == 2000);
  CHECK(kept);
}

TEST_CASE("item_timeout of a map over an actor is the request's time limit") {
  world w;
  const caf::actor actor = w.system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self, kept = std::vector<caf::response_promise>{}](int x) mutable {
      auto answer = self->make_response_promise();
      if (x % 5 == 3)
        kept.push_back(answer);  // never answered
      else
        answer.deliver(x);
      return answer;
    }};
  });
  const auto limit = std::chrono::milliseconds{200};
  fmap::future_map<int> map{w.system, actor, std::views::iota(0, 20),
                            fmap::map_options{.buffersize = 4, .item_timeout = limit}};
  int good = 0, late = 0;
  for (auto& outcome : map.outcomes()) try {
      const int value = outcome.value();
      CHECK(value == static_cast<int>(outcome.index()));
      CHECK(value % 5 != 3);
      ++good;
    } catch (const fmap::item_timeout& e) {
      CHECK(e.index() == outcome.index());
      ++late;
    }
  CHECK(good + late == 20);
  CHECK(late >= 4);  // on a busy machine others may be late, too
  const auto with = [&](std::chrono::nanoseconds t) {
    return fmap::future_map<int>{w.system, actor, std::views::iota(0, 2),
                                 fmap::map_options{.buffersize = 2, .item_timeout = t}};
  };
  CHECK_THROWS_AS(with(std::chrono::nanoseconds{0}), std::invalid_argument);
  CHECK_THROWS_AS(with(std::chrono::nanoseconds{-1}), std::invalid_argument);
  int results = 0;
  for ([[maybe_unused]] int v : with(std::chrono::nanoseconds::max())) ++results;
  CHECK(results == 2);
  caf::anon_send_exit(actor, caf::exit_reason::kill);  // the answers it owes keep it alive
}

TEST_CASE("a map over an actor can be left at any time, and the system ends") {
  for (int leave = 0; leave != 30; ++leave) {
    world w;
    const caf::actor actor = w.system.spawn(doubling);
    fmap::future_map<int> map{w.system, actor, std::views::iota(20), 8};
    if (leave == 0) continue;
    int seen = 0;
    for ([[maybe_unused]] int v : map)
      if (++seen == leave) break;
    CHECK(seen == leave);
  }
}
