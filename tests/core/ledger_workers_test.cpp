// SPDX-License-Identifier: BSD-3-Clause
// The ledger, one behaviour at a time: workers that are lost.

#include <chrono>
#include <vector>

#include "support/catch.hpp"
#include "support/ledger_moves.hpp"

using namespace testing;
using namespace std::chrono_literals;
using fmap::kernel::casualty;
using fmap::kernel::mark;
using reason = casualty::reason;

namespace {

std::vector<casualty> lose(ledger& l, worker_id w, mark m) {
  return l.remove_worker(w, [=](run_id, std::uint64_t) { return m; });
}

/// A run of which one worker holds a batch of `count` items.
struct held_batch {
  explicit held_batch(std::uint32_t count, std::uint32_t max_attempts = 3)
      : run{l.open({.buffersize = 100, .chunksize = count, .max_attempts = max_attempts})} {
    pull(l, run, count);
    l.take(worker);
  }

  ledger l;
  worker_id worker = l.add_worker(plenty);
  run_id run;
};

}  // namespace

// -- a worker is lost -------------------------------------------------------------

TEST_CASE("ledger: what a lost worker had not begun is queued again, unblamed") {
  held_batch b{4};
  CHECK(lose(b.l, b.worker, mark::waiting).empty());
  CHECK(b.l.counts(b.run).queued == 4);
  CHECK(b.l.counts(b.run).retried == 0);
  const span s = b.l.take(b.l.add_worker(plenty));
  CHECK(s.count == 4);
  CHECK_FALSE(s.alone);
}

TEST_CASE("ledger: the item that was running is charged an attempt and retried alone") {
  held_batch b{4};
  const auto lost = b.l.remove_worker(b.worker, [](run_id, std::uint64_t index) {
    return index < 1 ? mark::finished : index == 1 ? mark::running : mark::waiting;
  });
  CHECK(lost.empty());
  CHECK(b.l.counts(b.run).retried == 1);
  CHECK(b.l.attempts(b.run, 1) == 2);
  CHECK(b.l.attempts(b.run, 2) == 1);
  const worker_id w = b.l.add_worker(1);
  std::vector<std::uint64_t> alone;
  for (int i = 0; i != 4; ++i) {
    const span s = b.l.take(w);
    CHECK(s.count == 1);
    if (s.alone) alone.push_back(s.first);
    finish(b.l, w, s);
  }
  CHECK(alone == std::vector<std::uint64_t>{1});
}

TEST_CASE("ledger: an item is quarantined after max_attempts executions that ended in a death") {
  held_batch b{1};
  CHECK(lose(b.l, b.worker, mark::running).empty());
  for (std::uint32_t attempt = 2; attempt <= 3; ++attempt) {
    const worker_id w = b.l.add_worker(plenty);
    CHECK(b.l.attempts(b.run, 0) == attempt);
    REQUIRE(b.l.take(w));
    const auto lost = lose(b.l, w, mark::running);
    REQUIRE(lost.size() == (attempt == 3 ? 1 : 0));
    if (attempt < 3) continue;
    CHECK(lost[0].item.first == 0);
    CHECK(lost[0].attempts == 3);
    CHECK(lost[0].why == reason::quarantined);
  }
  CHECK(b.l.counts(b.run).quarantined == 1);
  CHECK(take_ready(b.l, b.run) == std::vector<std::uint64_t>{0});
}

TEST_CASE("ledger: with max_attempts 1 a death while it runs ends an item") {
  held_batch b{2, 1};
  const auto lost = b.l.remove_worker(b.worker, [](run_id, std::uint64_t index) {
    return index == 0 ? mark::running : mark::waiting;
  });
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].attempts == 1);
  CHECK(lost[0].why == reason::quarantined);
  CHECK(b.l.counts(b.run).queued == 1);
}

TEST_CASE("ledger: a finished item whose result was lost runs again, unless that is forbidden") {
  held_batch again{2};
  CHECK(lose(again.l, again.worker, mark::finished).empty());
  CHECK(again.l.counts(again.run).queued == 2);
  held_batch once{2, 1};
  const auto lost = lose(once.l, once.worker, mark::finished);
  REQUIRE(lost.size() == 2);
  CHECK(lost[0].why == reason::result_lost);
  CHECK(once.l.counts(once.run).ready == 2);
  CHECK(once.l.counts(once.run).quarantined == 0);
}

TEST_CASE("ledger: an item whose result is lost again and again runs alone, and then is to blame") {
  for (const std::uint32_t most : {2U, 3U, 10U}) {
    held_batch b{2, most};
    CHECK(lose(b.l, b.worker, mark::finished).empty());
    for (std::uint32_t deaths = 1;; ++deaths) {
      REQUIRE(deaths < most);
      const worker_id w = b.l.add_worker(plenty);
      const span s = b.l.take(w);
      CHECK(s.first == 0);
      CHECK(s.alone == (deaths >= 2 || deaths + 1 == most));
      CHECK(b.l.attempts(b.run, 0) == deaths + 1);
      const auto lost = lose(b.l, w, mark::finished);
      if (lost.empty()) continue;
      CHECK(lost[0].why == reason::quarantined);
      CHECK(lost[0].attempts == most);
      CHECK(deaths + 1 == most);
      break;
    }
    CHECK(b.l.counts(b.run).quarantined == 1);
  }
}

TEST_CASE("ledger: what was interrupted for another one's sake is not blamed, however often") {
  held_batch b{2, 3};
  worker_id w = b.worker;
  for (int i = 0; i != 10; ++i) {
    CHECK(lose(b.l, w, mark::interrupted).empty());
    w = b.l.add_worker(plenty);
    const span s = b.l.take(w);
    CHECK(s.count == 2);
    CHECK_FALSE(s.alone);
  }
  CHECK(b.l.attempts(b.run, 0) == 1);
  held_batch once{2, 1};
  const auto lost = lose(once.l, once.worker, mark::interrupted);
  REQUIRE(lost.size() == 2);
  CHECK(lost[0].why == reason::result_lost);
}

TEST_CASE("ledger: an item that ran out of its time ends there") {
  held_batch b{3};
  const auto lost = b.l.remove_worker(b.worker, [](run_id, std::uint64_t index) {
    return index == 1 ? mark::expired : mark::waiting;
  });
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].item.first == 1);
  CHECK(lost[0].why == reason::expired);
  CHECK(b.l.counts(b.run).retried == 0);
  CHECK(b.l.counts(b.run).queued == 2);
}

TEST_CASE("ledger: what ends with a worker is held by its heir until that reports it") {
  held_batch b{2, 1};
  const worker_id heir = b.l.add_worker(plenty, 0);
  const auto lost = b.l.remove_worker(
      b.worker, [](run_id, std::uint64_t) { return mark::running; }, heir);
  CHECK(lost.size() == 2);
  CHECK_FALSE(b.l.has_ready(b.run));
  CHECK_FALSE(b.l.drained(b.run));
  CHECK(b.l.audit());
  for (const casualty& c : lost) CHECK(finish(b.l, heir, c.item) == 1);
  CHECK(take_ready(b.l, b.run).size() == 2);
}

TEST_CASE("ledger: a worker that keeps a store of batches is full when it has enough of them") {
  ledger l;
  const worker_id w = l.add_worker(plenty, 2, 100us, 4);
  const run_id r = l.open({.buffersize = 1000});
  pull(l, r, 1000);
  CHECK(take_all(l, w).size() == 2);  // nothing is known: one for each of its threads
  CHECK(l.full(w));
  for (std::uint64_t i = 0; i != 2; ++i) l.finished(w, r, i, 1, 10us);
  std::uint64_t items = 0;
  for (const span& s : take_all(l, w)) items += s.count;
  CHECK(items == 2 * 4 * 10);  // four batches of 100us for each
}

TEST_CASE("ledger: without a witness a single item is to blame") {
  held_batch b{1};
  lose(b.l, b.worker, mark::unknown);
  CHECK(b.l.attempts(b.run, 0) == 2);
  CHECK(b.l.counts(b.run).retried == 1);
}

TEST_CASE("ledger: without a witness several items are suspects and run alone from then on") {
  held_batch b{3};
  lose(b.l, b.worker, mark::unknown);
  CHECK(b.l.counts(b.run).retried == 0);
  const worker_id w = b.l.add_worker(plenty);
  for (std::uint64_t i = 0; i != 3; ++i) {
    const span s = b.l.take(w);
    CHECK(s.first == i);
    CHECK(s.count == 1);
    CHECK(s.alone);
    CHECK(finish(b.l, w, s) == 1);
  }
}

TEST_CASE("ledger: without a witness nothing that may have run is repeated with max_attempts 1") {
  held_batch b{3, 1};
  CHECK(lose(b.l, b.worker, mark::unknown).size() == 3);
  CHECK(b.l.counts(b.run).queued == 0);
}

TEST_CASE("ledger: nothing travels with a suspect") {
  held_batch b{2};
  lose(b.l, b.worker, mark::unknown);
  pull(b.l, b.run, 10);
  const worker_id w = b.l.add_worker(plenty), busy = b.l.add_worker(plenty);
  const span suspect = b.l.take(w);
  REQUIRE(suspect.alone);
  CHECK_FALSE(b.l.take(w));
  // Nor is a suspect given to somebody who holds other items.
  REQUIRE(b.l.take(busy).alone);
  b.l.finished(busy, b.run, 1, 1, {});
  REQUIRE_FALSE(b.l.take(busy).alone);
  lose(b.l, w, mark::unknown);
  CHECK(b.l.attempts(b.run, suspect.first) == 2);
  CHECK_FALSE(b.l.take(busy));
}

TEST_CASE("ledger: a suspect does not wait for ever behind items that keep coming") {
  held_batch b{2};
  const worker_id busy = b.l.add_worker(plenty);
  pull(b.l, b.run, 2);
  const span s = b.l.take(busy);
  lose(b.l, b.worker, mark::running);  // items 0 and 1
  pull(b.l, b.run, 10);
  CHECK(b.l.full(busy));
  CHECK_FALSE(b.l.take(busy));
  finish(b.l, busy, s);
  CHECK_FALSE(b.l.full(busy));
  CHECK(b.l.take(busy).first == 0);
  // The other runs of the pool are none of its business.
  const run_id other = b.l.open({.buffersize = 10, .chunksize = 2});
  pull(b.l, other, 2);
  const worker_id w = b.l.add_worker(plenty);
  CHECK(b.l.take(w, other).count == 2);
  CHECK_FALSE(b.l.full(b.l.add_worker(plenty)));
  // Nor is anybody else kept from work: `busy` will hold nothing when its suspect is done.
  pull(b.l, other, 2);
  CHECK(b.l.take(w, other).count == 2);
  CHECK(b.l.take(w).run == b.run);
}

TEST_CASE("ledger: what a lost worker reports late is ignored") {
  held_batch b{2};
  const span s = b.l.held_by(b.worker).front();
  lose(b.l, b.worker, mark::waiting);
  CHECK(finish(b.l, b.worker, s) == 0);
  const worker_id w = b.l.add_worker(plenty);
  b.l.take(w);
  CHECK(finish(b.l, b.worker, s) == 0);
  CHECK(finish(b.l, w, s) == 2);
  CHECK(lose(b.l, b.worker, mark::running).empty());
  CHECK(b.l.audit());
}

TEST_CASE("ledger: what a lost worker held of a stopped run is dropped") {
  held_batch b{2};
  b.l.stop(b.run);
  CHECK(lose(b.l, b.worker, mark::running).empty());
  CHECK(b.l.counts(b.run).dropped == 2);
  CHECK(b.l.drained(b.run));
}

TEST_CASE("ledger: lost items keep their place in an ordered run") {
  ledger l;
  const worker_id first = l.add_worker(plenty), second = l.add_worker(plenty);
  const run_id r = l.open({.buffersize = 6, .chunksize = 3, .max_attempts = 1, .ordered = true});
  pull(l, r, 6);
  l.take(first);
  finish(l, second, l.take(second));
  CHECK_FALSE(l.has_ready(r));
  lose(l, first, mark::unknown);
  CHECK(take_ready(l, r) == std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5});
}
