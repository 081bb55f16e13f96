// SPDX-License-Identifier: BSD-3-Clause
// The ledger, one behaviour at a time: how large batches are.

#include <chrono>
#include <vector>

#include "support/catch.hpp"
#include "support/ledger_moves.hpp"

using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("ledger: the first batches of a run hold one item, until one is finished") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 1000});
  pull(l, r, 1000);
  for (int i = 0; i != 3; ++i) CHECK(l.take(w).count == 1);
  l.finished(w, r, 0, 1, 1us);
  CHECK(l.take(w).count > 1);
}

TEST_CASE("ledger: what a run is expected to cost holds until an item is measured") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 1000, .expected_cost = 10us});
  pull(l, r, 1000);
  CHECK(l.cost(r) == 10us);
  CHECK_FALSE(l.measured(r));
  CHECK(l.queued_time() == 10ms);
  const span s = l.take(w);
  CHECK(s.count == 7);  // the batch time
  finish(l, w, s, 14us);
  CHECK(l.measured(r));
  CHECK(l.cost(r) == 2us);
  CHECK(l.queued_time() == 1986us);
}

TEST_CASE("ledger: however little items are expected to cost, the first batch is not a large one") {
  const bool doubted = GENERATE(false, true);
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 1000, .expected_cost = 1ns});
  pull(l, r, 1000);
  if (doubted) l.doubt(r);
  const span s = l.take(w);
  CHECK(s.count == (doubted ? 1 : 256));
  finish(l, w, s, s.count * 100ns);
  if (doubted) CHECK(l.take(w).count == 4);
}

TEST_CASE("ledger: a lower cost that was expected counts as eight items, unless it was doubted") {
  const bool doubted = GENERATE(false, true);
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 1000, .expected_cost = 1us});
  pull(l, r, 1);
  if (doubted) l.doubt(r);
  finish(l, w, l.take(w), 100us);
  CHECK(l.measured(r));
  CHECK(l.cost(r) == (doubted ? 100us : 12us));
}

TEST_CASE("ledger: batches grow step by step to about the batch time") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 100'000});
  pull(l, r, 100'000);
  std::vector<std::uint32_t> sizes;
  for (int i = 0; i != 6; ++i) {
    const span s = l.take(w);
    sizes.push_back(s.count);
    finish(l, w, s, s.count * 1us);
  }
  CHECK(sizes == std::vector<std::uint32_t>{1, 4, 16, 64, 75, 75});
}

TEST_CASE("ledger: items as long as the batch time go one by one") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 1000});
  teach(l, w, r, 100us);
  pull(l, r, 1000);
  CHECK(l.take(w).count == 1);
}

TEST_CASE("ledger: batches follow when the cost changes") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 100'000});
  pull(l, r, 100'000);
  const auto work = [&](ledger::duration cost, std::uint64_t items) {
    std::uint32_t last = 0;
    for (std::uint64_t done = 0; done < items; done += last) {
      const span s = l.take(w);
      last = s.count;
      finish(l, w, s, s.count * cost);
    }
    return last;
  };
  CHECK(work(1us, 5000) == 75);
  CHECK(work(1ms, 5000) == 1);
  CHECK(work(1us, 10'000) > 40);
}

TEST_CASE("ledger: a batch is at most a fair share of what is queued") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 100});
  for (int i = 0; i != 3; ++i) l.add_worker(plenty);
  teach(l, w, r, 1us);
  pull(l, r, 100);
  CHECK(l.take(w).count == 25);
  CHECK(l.take(w).count == 19);
}

TEST_CASE(
    "ledger: a worker with more threads has a larger share and a larger batch time fills it") {
  ledger l;
  const worker_id thread = l.add_worker(plenty), node = l.add_worker(plenty, 3, 1ms);
  const run_id r = l.open({.buffersize = 1000});
  teach(l, thread, r, 1us);
  pull(l, r, 1000);
  CHECK(l.take(node).count == 750);
  CHECK(l.take(thread).count == 63);
}

TEST_CASE("ledger: chunksize overrides the measured size") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  for (int i = 0; i != 7; ++i) l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 100, .chunksize = 10});
  pull(l, r, 25);
  const span s = l.take(w);
  CHECK(s.count == 10);
  finish(l, w, s, 10s);
  CHECK(l.take(w).count == 10);
  CHECK(l.take(w).count == 5);
}

TEST_CASE("ledger: no worker holds more than its capacity") {
  ledger l;
  const worker_id w = l.add_worker(5);
  const run_id r = l.open({.buffersize = 100, .chunksize = 3});
  pull(l, r, 100);
  CHECK(l.take(w).count == 3);
  CHECK(l.take(w).count == 2);
  CHECK_FALSE(l.take(w));
  l.finished(w, r, 1, 1, {});
  CHECK(l.take(w).count == 1);
  CHECK_FALSE(l.take(w));
}

TEST_CASE("ledger: an unknown worker is given nothing") {
  ledger l;
  const run_id r = l.open({.buffersize = 1});
  pull(l, r, 1);
  CHECK_FALSE(l.take(17));
  CHECK(l.counts(r).queued == 1);
}

TEST_CASE("ledger: what is too little for a message waits while more is under way") {
  ledger l;
  const worker_id a = l.add_worker(plenty, 1, 150us, 4), b = l.add_worker(plenty, 1, 150us, 4);
  const run_id r = l.open({.buffersize = 256});
  const auto learn = [&](ledger::duration cost) {
    teach(l, a, r, cost);
    for (span s; (s = l.take(a)); take_ready(l, r)) finish(l, a, s, s.count * cost);
  };
  SECTION("tiny items: for an eighth of the bound") {
    learn(10ns);
    pull(l, r, 31);
    CHECK(l.wants(a));  // there is nothing else
    const span first = l.take(a);
    REQUIRE(first.count < 31);
    pull(l, r, first.count);
    CHECK_FALSE(l.wants(b));
    CHECK_FALSE(l.take(b));
    CHECK_FALSE(l.full(b));
    CHECK(l.take(b, 0, true));
  }
  SECTION("as soon as there is that much") {
    learn(10ns);
    pull(l, r, 31);
    const span first = l.take(a);
    pull(l, r, first.count + 1);
    CHECK(l.wants(b));
    CHECK(l.take(b));
  }
  SECTION("as soon as the others are done") {
    learn(10ns);
    pull(l, r, 31);
    const span first = l.take(a);
    CHECK_FALSE(l.wants(b));
    finish(l, a, first, 1us);
    CHECK(l.wants(b));
  }
  SECTION("items that are worth a message do not wait") {
    learn(20us);
    pull(l, r, 3);
    REQUIRE(l.take(a));
    CHECK(l.wants(b));
  }
  SECTION("nor does anything where a visit is all it takes") {
    const worker_id near = l.add_worker(plenty);
    learn(10ns);
    pull(l, r, 31);
    REQUIRE(l.take(a));
    CHECK(l.take(near));
  }
}

TEST_CASE("ledger: however many workers there are, a batch of tiny items is worth a visit") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  for (int i = 0; i != 63; ++i) l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 256});
  teach(l, w, r, 10ns);
  take_all(l, w);
  CHECK(l.counts(r).queued == 0);
  const run_id heavy = l.open({.buffersize = 256});
  teach(l, w, heavy, 100us);
  CHECK(l.take(w).count == 1);
}

TEST_CASE("ledger: a batch lasts for two visits if there are as many more for each worker") {
  const std::uint64_t buffersize = GENERATE(32, 16, 8, 4);
  ledger l;
  const worker_id a = l.add_worker(plenty);
  l.add_worker(plenty);
  const run_id r = l.open({.buffersize = buffersize, .expected_cost = 5us});
  pull(l, r, 4);
  CHECK(l.take(a).count == (buffersize >= 16 ? 4 : 2));
}

TEST_CASE("ledger: who has a call under way gets a full batch or nothing, and is not full") {
  ledger l;
  const worker_id w = l.add_worker(plenty, 1, fmap::kernel::tuning::batch_remote, 4);
  run_limits limits{.buffersize = 64, .chunksize = 8};
  limits.whole = true;
  const run_id r = l.open(limits), other = l.open(limits);
  pull(l, r, 1);
  CHECK(l.take(w, 0, true).count == 1);
  pull(l, r, 7);
  CHECK_FALSE(l.wants(w));
  CHECK_FALSE(l.wants(w, true));
  CHECK_FALSE(l.take(w, 0, true));
  CHECK_FALSE(l.full(w));  // it is rung when there is more
  pull(l, other, 1);
  CHECK(l.wants(w, true));
  CHECK(l.take(w, 0, true).run == other);
  pull(l, r, 1);
  CHECK(l.wants(w));
  CHECK(l.take(w).count == 8);
  pull(l, r, 8);
  CHECK_FALSE(l.take(w, r, true));
  CHECK(l.full(w));
  CHECK(l.audit());
}

TEST_CASE("ledger: what a worker holds of other runs does not keep it from a whole batch") {
  ledger l;
  const worker_id w = l.add_worker(plenty, 1, fmap::kernel::tuning::batch_remote, 4);
  run_limits limits{.buffersize = 64, .chunksize = 8};
  limits.whole = true;
  const run_id other = l.open(limits);
  pull(l, other, 16);
  CHECK(l.take(w).count == 8);
  CHECK(l.take(w).count == 8);
  const run_id r = l.open(limits);
  pull(l, r, 3);
  CHECK(l.take(w, r).count == 3);
}
