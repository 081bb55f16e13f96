// SPDX-License-Identifier: BSD-3-Clause
// What follows from the end of a peer, and how many of them a pool makes good.
#include <chrono>
#include <csignal>
#include <exception>
#include <functional>
#include <string>

#include "src/remote/post_mortem.hpp"
#include "src/remote/restart_budget.hpp"
#include "support/catch.hpp"

using namespace fmap::remote;
using namespace std::chrono_literals;
using cause = post_mortem::cause;

namespace {

/// One that was doing well.
peer_life healthy() {
  peer_life life;
  life.started = life.greeted = life.ready = life.proven = true;
  life.program = "/program";
  return life;
}

peer_life with(const std::function<void(peer_life&)>& change) {
  peer_life life = healthy();
  change(life);
  return life;
}

fmap::worker_death killed() { return {SIGSEGV, 0, "host", 7, "as told"}; }
fmap::worker_death exited(int code) { return {0, code, "host", 7, ""}; }

std::string text_of(const std::exception_ptr& e) { return fmap::detail::describe(e); }

constexpr item_id item{3, 5}, other{3, 6};

}  // namespace

TEST_CASE("post mortem: whose death it was") {
  struct row {
    const char* what;
    std::function<void(peer_life&)> change;
    fmap::worker_death death;
    cause expected;
  };
  const row rows[] = {
      {"idle", [](peer_life&) {}, killed(), cause::outside},
      {"idle, and exits", [](peer_life&) {}, exited(0), cause::outside},
      {"at an item", [](peer_life& l) { l.working = true; }, killed(), cause::not_the_pools},
      {"at too slow an item", [](peer_life& l) { l.expired = item; }, killed(),
       cause::not_the_pools},
      {"told to finish", [](peer_life& l) { l.blameless = true; }, exited(0), cause::not_the_pools},
      {"its pool is broken", [](peer_life& l) { l.pool_broken = true; }, killed(),
       cause::not_the_pools},
      {"no threads", [](peer_life&) {}, exited(no_resources), cause::not_started},
      {"an item exits like that", [](peer_life& l) { l.working = true; }, exited(no_resources),
       cause::not_the_pools},
      {"never was", [](peer_life& l) { l.started = false; }, {}, cause::not_started},
      {"never was, and its pool is broken",
       [](peer_life& l) { l.started = false, l.pool_broken = true; },
       {},
       cause::not_started},
  };
  for (const row& r : rows) {
    INFO(r.what);
    CHECK(post_mortem{with(r.change), r.death}.why() == r.expected);
  }
}

TEST_CASE("post mortem: what is known of the reason") {
  struct row {
    const char* what;
    std::function<void(peer_life&)> change;
    fmap::worker_death death;
    std::string expected;
  };
  const std::string limit = "it had run into its address-space limit of 4096 bytes";
  const row rows[] = {
      {"nothing more", [](peer_life&) {}, killed(), "as told"},
      {"nonsense", [](peer_life& l) { l.nonsense = true, l.greeted = false; }, killed(),
       "it had sent what is no message: perhaps something wrote to a descriptor that it does not "
       "own"},
      {"no greeting", [](peer_life& l) { l.greeted = false; }, killed(),
       "it never got as far as fmap::init of this program, which was started as /program"},
      {"no resources", [](peer_life&) {}, exited(no_resources),
       "it found no threads or no memory to start with"},
      {"a limit that was kept", [](peer_life& l) { l.address_space_limit = 4096; }, killed(),
       "as told"},
      {"a limit, no memory",
       [](peer_life& l) { l.address_space_limit = 4096, l.out_of_memory = true; }, killed(), limit},
      {"a limit, no greeting",
       [](peer_life& l) { l.address_space_limit = 4096, l.greeted = false; }, killed(), limit},
      {"a limit, no resources", [](peer_life& l) { l.address_space_limit = 4096; },
       exited(no_resources), limit},
      {"never was", [](peer_life& l) { l.started = false, l.greeted = false; }, {}, ""},
  };
  for (const row& r : rows) {
    INFO(r.what);
    const post_mortem verdict{with(r.change), r.death};
    CHECK(verdict.death().reason == r.expected);
    CHECK(verdict.death().signal == r.death.signal);
    CHECK(verdict.death().pid == r.death.pid);
  }
}

TEST_CASE("post mortem: what becomes of each item") {
  const post_mortem died{healthy(), killed()};
  const post_mortem expired{with([](peer_life& l) { l.expired = item; }), killed()};
  const post_mortem broken{with([](peer_life& l) { l.pool_broken = true, l.expired = item; }),
                           killed()};
  struct row {
    mark seen, after_death, after_expiry;
  };
  const row rows[] = {
      {mark::waiting, mark::waiting, mark::waiting},
      {mark::running, mark::running, mark::interrupted},
      {mark::finished, mark::finished, mark::interrupted},
      {mark::interrupted, mark::interrupted, mark::interrupted},
      {mark::unknown, mark::unknown, mark::interrupted},
  };
  for (const row& r : rows) {
    INFO("mark " << static_cast<int>(r.seen));
    CHECK(died.judge(item, r.seen) == r.after_death);
    CHECK(expired.judge(other, r.seen) == r.after_expiry);
    CHECK(expired.judge(item, r.seen) == mark::expired);
    CHECK(broken.judge(item, r.seen) == mark::waiting);
    CHECK(broken.judge(other, r.seen) == mark::waiting);
  }
}

TEST_CASE("post mortem: a call that takes too long convicts none of its items") {
  const post_mortem p{with([](peer_life& l) {
                        l.expired = item;
                        l.call = item_range{3, 4, 7};
                      }),
                      killed()};
  CHECK(p.judge(item, mark::unknown) == mark::unknown);
  CHECK(p.judge({3, 6}, mark::unknown) == mark::unknown);
  CHECK(p.judge({3, 6}, mark::finished) == mark::interrupted);
  CHECK(p.judge({3, 6}, mark::waiting) == mark::waiting);
  CHECK(p.judge({3, 7}, mark::unknown) == mark::interrupted);  // another call
  CHECK(p.judge({4, 5}, mark::running) == mark::interrupted);
}

TEST_CASE("post mortem: the errors of items that end with it") {
  const post_mortem died{healthy(), killed()};
  const post_mortem expired{with([](peer_life& l) { l.expired = item; }), exited(1)};
  casualty lost{{}, 2, casualty::reason::result_lost};
  lost.item.run = 3;
  lost.item.first = 6;
  const auto reason_of = [&](const post_mortem& p, mark seen) {
    try {
      std::rethrow_exception(p.error_of(lost, seen, 1s));
    } catch (const fmap::worker_lost& e) {
      CHECK(e.index() == 6);
      CHECK(e.attempts() == 2);
      return e.death().reason;
    }
  };
  CHECK(reason_of(died, mark::running) == "as told");
  CHECK(reason_of(died, mark::unknown) == "as told");
  CHECK(reason_of(died, mark::finished)
        == "as told; the item had finished, but its result had not arrived");
  CHECK(reason_of(expired, mark::running) == "it was killed because another item ran for too long");
  CHECK(reason_of(expired, mark::waiting).empty());

  casualty late = lost;
  late.why = casualty::reason::expired;
  CHECK_THROWS_AS(std::rethrow_exception(expired.error_of(late, mark::running, 1s)),
                  fmap::item_timeout);
  CHECK_THAT(text_of(expired.error_of(late, mark::running, 1s)), Catch::Contains("1 s"));
}

TEST_CASE("post mortem: why a pool cannot go on") {
  const post_mortem died{healthy(), killed()};
  CHECK_THAT(text_of(died.keeps_dying()),
             Catch::StartsWith("fmap: worker processes keep dying outside any item; the last: ")
                 && Catch::Contains("as told"));
  CHECK_THAT(text_of(died.cannot_start()),
             Catch::StartsWith("fmap: worker processes cannot be started; the last: "));
}

TEST_CASE("restart budget: a number of deaths within the window") {
  restart_budget budget{2, 10s};
  const restart_budget::clock::time_point start{};
  const auto dies = [&](std::chrono::seconds at) {
    return budget.spend(start + at - 100ms, true, start + at);
  };
  CHECK(dies(2s));
  CHECK(dies(4s));
  CHECK_FALSE(dies(6s));
  CHECK(dies(14s + 1s));  // those at 2 and 4 are long ago
  CHECK_FALSE(dies(16s));
}

TEST_CASE("restart budget: what dies at one moment counts as one death") {
  restart_budget budget{1, 1h};
  const restart_budget::clock::time_point start{};
  for (int i = 0; i != 10; ++i) CHECK(budget.spend(start, true, start + 5s + i * 100ms));
  CHECK_FALSE(
      budget.spend(start + 5500ms, true, start + 5900ms));  // it was started after the first
}

TEST_CASE("restart budget: too many in a row that never were ready, however rare") {
  restart_budget budget{2, 1s};
  const restart_budget::clock::time_point start{};
  const auto dies = [&](std::chrono::hours at) {
    return budget.spend(start + at - 1min, false, start + at);
  };
  CHECK(dies(1h));
  CHECK(dies(2h));
  budget.ready();
  CHECK(dies(3h));
  CHECK(dies(4h));
  CHECK_FALSE(dies(5h));
}
