// SPDX-License-Identifier: BSD-3-Clause
// The ledger, one behaviour at a time: suspects beside other work, and nodes.

#include <chrono>
#include <vector>

#include "support/catch.hpp"
#include "support/ledger_moves.hpp"

using namespace testing;
using namespace std::chrono_literals;
using fmap::kernel::casualty;
using fmap::kernel::mark;
using fmap::kernel::worker_shape;

namespace {

worker_shape node(std::uint32_t threads) {
  return {.capacity = plenty, .weight = threads, .is_node = true, .hold = 1ms};
}

}  // namespace

TEST_CASE("ledger: a crash empties as many workers as there are suspects, and no more") {
  ledger l;
  std::vector<worker_id> workers;
  for (int i = 0; i != 4; ++i) workers.push_back(l.add_worker(plenty));
  const run_id r = l.open({.buffersize = 100, .chunksize = 1});
  pull(l, r, 100);
  const worker_id lost = l.add_worker(plenty);
  l.take(lost);
  for (const worker_id w : workers) l.take(w);
  l.remove_worker(lost, [](run_id, std::uint64_t) { return mark::running; });
  CHECK_FALSE(l.take(workers[2]));
  CHECK(l.full(workers[2]));
  CHECK_FALSE(l.wants(workers[2]));
  for (const int i : {0, 1, 3}) CHECK(l.take(workers[i]));
  // It keeps its place in the line, and then gets the suspect.
  CHECK_FALSE(l.take(workers[2]));
  finish(l, workers[2], l.held_by(workers[2]).front());
  CHECK(l.take(workers[2]).alone);
  CHECK(l.audit());
}

TEST_CASE("ledger: who was kept empty for a suspect is filled again when somebody else has it") {
  ledger l;
  const worker_id a = l.add_worker(plenty), b = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 100, .chunksize = 1});
  pull(l, r, 100);
  l.take(a);
  l.take(b);
  l.remove_worker(a, [](run_id, std::uint64_t) { return mark::running; });
  REQUIRE_FALSE(l.take(b));
  REQUIRE(l.take(l.add_worker(plenty)).alone);
  CHECK_FALSE(l.full(b));
  CHECK(l.take(b));
}

TEST_CASE("ledger: a node takes a suspect beside what it holds") {
  ledger l;
  const worker_id n = l.add_worker(node(8)), lost = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 100, .chunksize = 2});
  pull(l, r, 100);
  l.take(lost);
  l.take(n);
  l.remove_worker(lost, [](run_id, std::uint64_t) { return mark::running; });
  CHECK(l.take(n).alone);
  CHECK(l.take(n).alone);
  CHECK_FALSE(l.full(n));
  CHECK(l.held_by(n).size() == 3);
}

TEST_CASE("ledger: an item that died on a node is retried alone, elsewhere if that is possible") {
  ledger l;
  const worker_id n = l.add_worker(node(4));
  const run_id r = l.open({.buffersize = 100, .chunksize = 2});
  pull(l, r, 2);
  l.take(n);
  CHECK_FALSE(l.died(n, r, 7, mark::running));
  CHECK_FALSE(l.died(n, r, 0, mark::running));
  CHECK(l.counts(r).retried == 1);
  CHECK(l.attempts(r, 0) == 2);
  CHECK(l.held_by(n).front().first == 1);
  SECTION("there is nobody else") { CHECK(l.take(n).alone); }
  SECTION("somebody who executes nothing is nobody") {
    l.add_worker(plenty, 0);
    CHECK(l.take(n).alone);
  }
  SECTION("there is another node") {
    const worker_id other = l.add_worker(node(4));
    CHECK_FALSE(l.take(n));
    CHECK(l.full(n));
    CHECK(l.take(other).first == 0);
    CHECK_FALSE(l.died(other, r, 0, mark::running));
    const worker_id heir = l.add_worker(plenty, 0);
    REQUIRE(l.take(n).first == 0);
    const auto ends = l.died(n, r, 0, mark::running, heir);
    REQUIRE(ends);
    CHECK(ends->why == casualty::reason::quarantined);
    CHECK(ends->attempts == 3);
    CHECK_FALSE(l.has_ready(r));
    CHECK(l.finished(heir, r, 0, 1, {}) == 1);
  }
  SECTION("the run has been stopped") {
    l.stop(r);
    CHECK_FALSE(l.died(n, r, 1, mark::running));
    CHECK(l.drained(r) == (l.counts(r).granted == 0));
  }
}

TEST_CASE("ledger: what a lost node held is queued again, unblamed and not alone") {
  ledger l;
  const run_id r = l.open({.buffersize = 100, .chunksize = 8, .max_attempts = 4});
  pull(l, r, 8);
  for (const bool alone : {false, false, true}) {
    const worker_id n = l.add_worker(node(8));
    const span s = l.take(n);
    CHECK(s.alone == alone);
    CHECK(s.count == (alone ? 1 : 8));
    CHECK(l.remove_worker(n, [](run_id, std::uint64_t) { return mark::unseen; }).empty());
  }
  CHECK(l.counts(r).retried == 1);  // the one that was alone on the third is to blame
  CHECK(l.counts(r).quarantined == 0);
}

TEST_CASE("ledger: a stopped run does not wait for what is on a node") {
  ledger l;
  const worker_id n = l.add_worker(node(4)), near = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 100, .chunksize = 4}), other = l.open({.buffersize = 9});
  pull(l, other, 1);
  l.take(n);
  pull(l, r, 12);
  const span s = l.take(n, r), here = l.take(near, r);
  REQUIRE(s.count == 3);
  l.end(r);
  l.stop(r);
  CHECK_FALSE(l.drained(r));  // what this process executes it waits for
  finish(l, near, here);
  CHECK(l.drained(r));
  CHECK(l.forgotten(n, r));
  CHECK_FALSE(l.forgotten(n, other));
  CHECK_FALSE(l.forgotten(near, r));
  l.close(r);
  CHECK(finish(l, n, s) == 0);
  CHECK(l.forgotten(n, r));
  l.confirmed(n, r);
  CHECK_FALSE(l.forgotten(n, r));
  CHECK(l.held_by(n).size() == 1);
  CHECK(l.audit());
}

TEST_CASE(
    "ledger: a worker that holds by time has what its threads execute and what bridges the way") {
  ledger l;
  const worker_id n = l.add_worker(node(4));
  const run_id r = l.open({.buffersize = 10'000});
  teach(l, n, r, 1ms);
  pull(l, r, 1000);
  const auto holds = [&] {
    take_all(l, n);
    std::uint64_t items = 0;
    for (const span& s : l.held_by(n)) items += s.count;
    return items;
  };
  CHECK(holds() == 8);
  CHECK(l.useful_bound(r) == 12);
  l.set_hold(n, 10ms);
  CHECK(holds() == 32);  // up to 44, in messages of a third of the 40 at least
  CHECK(l.useful_bound(r) == 48);
}

TEST_CASE("ledger: at the end the fullest node gives back what another one can begin") {
  ledger l;
  const worker_id a = l.add_worker(node(2)), b = l.add_worker(node(4)), near = l.add_worker(9);
  const run_id r = l.open({.buffersize = 100, .chunksize = 1});
  pull(l, r, 1);
  finish(l, a, l.take(a), 100us);
  pull(l, r, 10);
  take_all(l, a);
  REQUIRE(l.held_by(a).size() == 10);
  const auto asked = l.recall_for(b);
  CHECK(asked.from == a);
  CHECK(asked.count == 7);            // both have the same for each thread, rounded up
  CHECK(l.recall_for(b).count == 0);  // it has not answered
  CHECK(l.recall_for(a).count == 0);  // it has enough to do
  SECTION("it does so") {
    l.give_back(a, r, 4, 7);
    CHECK(l.recall_for(b).count == 0);  // something is queued
    take_all(l, b);
    CHECK(l.held_by(b).size() == 7);
    CHECK(l.recall_for(near).from == b);
  }
  SECTION("it has begun all") {
    l.give_back(a, r, 0, 0);
    CHECK(l.recall_for(near).count == 4);
  }
}
