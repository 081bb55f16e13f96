// SPDX-License-Identifier: BSD-3-Clause
// The ledger, one behaviour at a time: tokens, spans, order, stop.

#include <chrono>
#include <vector>

#include "support/catch.hpp"
#include "support/ledger_moves.hpp"

using namespace testing;
using namespace std::chrono_literals;
using indices = std::vector<std::uint64_t>;

// -- tokens ---------------------------------------------------------------------

TEST_CASE("ledger: grants never exceed the tokens") {
  ledger l;
  const run_id r = l.open({.buffersize = 5});
  CHECK(l.grant(r, 3) == 3);
  CHECK(l.grant(r, 3) == 2);
  CHECK(l.grant(r, 3) == 0);
  CHECK(l.counts(r).granted == 5);
}

TEST_CASE("ledger: a token comes back when its result is taken, not when it is ready") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 1});
  pull(l, r, 1);
  CHECK(l.grant(r, 1) == 0);
  finish(l, w, l.take(w));
  CHECK(l.grant(r, 1) == 0);
  l.next_ready(r);
  CHECK(l.grant(r, 1) == 0);
  l.taken(r, 1);
  CHECK(l.grant(r, 1) == 1);
}

TEST_CASE(
    "ledger: the end of the input returns what was granted, and nothing is granted after it") {
  ledger l;
  const run_id r = l.open({.buffersize = 5});
  l.grant(r, 5);
  l.pulled(r, 0, 2);
  l.end(r);
  CHECK(l.counts(r).free == 3);
  CHECK(l.counts(r).granted == 0);
  CHECK(l.grant(r, 1) == 0);
}

TEST_CASE(
    "ledger: a report about no item changes nothing, even in the middle of what a worker holds") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 8, .chunksize = 8});
  pull(l, r, 8);
  const span s = l.take(w);
  REQUIRE(s.count == 8);
  l.give_back(w, r, 3, 0);
  CHECK(l.audit());
  l.finished(w, r, 5, 0, {});
  CHECK(l.audit());
  CHECK(l.counts(r).queued == 0);
  CHECK(l.counts(r).held == 8);
  finish(l, w, s);
  CHECK(l.audit());
  CHECK(l.next_ready(r).count == 8);
}

TEST_CASE("ledger: a run gets more tokens at once, and fewer as they come back") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 4});
  pull(l, r, 4);
  l.resize(r, 10);
  CHECK(l.buffersize(r) == 10);
  CHECK(l.grant(r, 100) == 6);
  l.resize(r, 3);
  CHECK(l.buffersize(r) == 10);
  CHECK(l.narrowing(r));
  l.give_back_excess(r);
  CHECK(l.buffersize(r) == 4);
  const span s = l.take(w);
  finish(l, w, s);
  REQUIRE(l.next_ready(r).count == s.count);
  l.taken(r, 1);
  CHECK(l.buffersize(r) == 3);
  CHECK_FALSE(l.narrowing(r));
  CHECK(l.counts(r).free == 0);
  CHECK(l.audit());
  l.resize(r, 5);
  CHECK(l.counts(r).free == 2);
  CHECK(l.audit());
}

TEST_CASE("ledger: an unbounded run has tokens for everything") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = fmap::kernel::unbounded});
  for (int i = 0; i != 100; ++i) pull(l, r, 1'000'000);
  CHECK(l.counts(r).queued == 100'000'000);
  CHECK(l.take(w).count == 1);
  CHECK(l.audit());
}

TEST_CASE("ledger: counts know the most that was in flight") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 8, .chunksize = 8});
  pull(l, r, 6);
  finish(l, w, l.take(w));
  take_ready(l, r);
  pull(l, r, 3);
  CHECK(l.counts(r).peak_in_flight == 6);
  CHECK(l.counts(r).pulled == 9);
}

// -- spans ----------------------------------------------------------------------

TEST_CASE("ledger: items that are pulled one by one into a chunk are one span") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 8, .chunksize = 8});
  for (int i = 0; i != 5; ++i) pull(l, r, 1);
  const span s = l.take(w);
  CHECK(s.first == 0);
  CHECK(s.count == 5);
}

TEST_CASE("ledger: a batch stays within one chunk") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 8, .chunksize = 8});
  pull(l, r, 3, 7);
  pull(l, r, 3, 8);
  const span first = l.take(w), second = l.take(w);
  CHECK(first.chunk == 7);
  CHECK(first.count == 3);
  CHECK(second.chunk == 8);
  CHECK(second.first == 3);
}

TEST_CASE("ledger: what is given back goes to the front and joins its neighbours") {
  ledger l;
  const worker_id small = l.add_worker(4), large = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 12, .chunksize = 12});
  pull(l, r, 12);
  const span s = l.take(small);
  REQUIRE(s.count == 4);
  l.give_back(small, r, 2, 2);
  CHECK(l.held_by(small).front().count == 2);
  const span rest = l.take(large);
  CHECK(rest.first == 2);
  CHECK(rest.count == 10);
}

TEST_CASE("ledger: a batch may be finished in pieces and in any order") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 8, .chunksize = 8});
  pull(l, r, 8);
  l.take(w);
  CHECK(l.finished(w, r, 3, 2, {}) == 2);
  CHECK(l.held_by(w).size() == 2);
  CHECK(l.finished(w, r, 0, 8, {}) == 6);
  CHECK(l.held_by(w).empty());
  CHECK(take_ready(l, r) == indices{3, 4, 0, 1, 2, 5, 6, 7});
}

// -- order ----------------------------------------------------------------------

TEST_CASE("ledger: outcomes become ready as they complete") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 4});
  pull(l, r, 4);
  take_all(l, w);
  for (const std::uint64_t i : {2, 0, 3, 1}) l.finished(w, r, i, 1, {});
  CHECK(take_ready(l, r) == indices{2, 0, 3, 1});
}

TEST_CASE("ledger: in an ordered run an outcome waits for those before it") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 5, .ordered = true});
  pull(l, r, 5);
  take_all(l, w);
  for (const std::uint64_t i : {3, 1, 4}) l.finished(w, r, i, 1, {});
  CHECK_FALSE(l.has_ready(r));
  CHECK_FALSE(l.next_ready(r));
  l.finished(w, r, 0, 1, {});
  CHECK(take_ready(l, r) == indices{0, 1});
  l.finished(w, r, 2, 1, {});
  CHECK(take_ready(l, r) == indices{2, 3, 4});
}

// -- what is late, repeated or unknown --------------------------------------------

TEST_CASE("ledger: a report is counted once") {
  ledger l;
  const worker_id w = l.add_worker(plenty), other = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 4});
  pull(l, r, 2);
  const span s = l.take(w);
  CHECK(finish(l, other, s) == 0);
  CHECK(finish(l, 99, s) == 0);
  CHECK(l.finished(w, 99, 0, 1, {}) == 0);
  CHECK(l.finished(w, r, 1, 1, {}) == 0);
  CHECK(finish(l, w, s) == 1);
  CHECK(finish(l, w, s) == 0);
  l.give_back(w, r, 0, 2);
  l.give_back(99, r, 0, 2);
  CHECK(l.counts(r).ready == 1);
  CHECK(l.counts(r).queued == 1);
  CHECK(l.audit());
}

// -- stop, end, close -------------------------------------------------------------

TEST_CASE("ledger: a stop drops what is queued or ready now, and what is held when it finishes") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 10});
  l.grant(r, 7);
  l.pulled(r, 0, 5);
  take_all(l, w);
  l.give_back(w, r, 3, 2);
  l.finished(w, r, 0, 1, {});
  l.stop(r);
  CHECK(l.counts(r).dropped == 3);
  CHECK_FALSE(l.next_ready(r));
  CHECK_FALSE(l.take(w));
  CHECK(l.grant(r, 1) == 0);
  l.finished(w, r, 1, 1, {});
  l.give_back(w, r, 2, 1);
  CHECK(l.counts(r).dropped == 5);
  l.pulled(r, 0, 1);  // the source was inside the iterator
  CHECK(l.counts(r).dropped == 6);
  CHECK_FALSE(l.drained(r));
  l.end(r);
  CHECK(l.drained(r));
  CHECK(l.counts(r).free == 10);
}

TEST_CASE("ledger: a closed run leaves nothing, and what is said about it is ignored") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 4});
  pull(l, r, 2);
  const span s = l.take(w);
  l.stop(r);
  l.end(r);
  finish(l, w, s);
  REQUIRE(l.drained(r));
  l.close(r);
  CHECK_FALSE(l.knows(r));
  CHECK(l.queued() == 0);
  CHECK(l.held() == 0);
  CHECK(finish(l, w, s) == 0);
  CHECK(l.grant(r, 1) == 0);
  l.taken(r, 1);
  l.stop(r);
  l.end(r);
  l.resize(r, 100);
  CHECK_FALSE(l.next_ready(r));
  CHECK(l.counts(r).pulled == 0);
  CHECK(l.open({}) != r);
}
