// SPDX-License-Identifier: BSD-3-Clause
// What a node holds goes through the hands of a worker that is no node while its slots are touched.
#include <cstdint>

#include "src/kernel/ledger.hpp"
#include "support/catch.hpp"

using fmap::kernel::ledger;
using fmap::kernel::mark;
using fmap::kernel::span;
using namespace std::chrono_literals;

namespace {

/// A run of 10 items, a node that has taken 4 of them, and its hand.
struct scene {
  ledger l;
  std::uint64_t run = l.open({.buffersize = 10, .chunksize = 4, .max_attempts = 2});
  std::uint32_t node = l.add_worker({.capacity = 100, .weight = 4, .is_node = true, .hold = 1ms});
  std::uint32_t hand = l.add_worker({.capacity = 100, .weight = 0});
  span taken;

  scene() {
    l.grant(run, 10);
    l.pulled(run, 0, 10);
    taken = l.take(node);
    REQUIRE(taken.count == 4);
  }
  std::uint32_t pass(std::uint32_t from, std::uint32_t to) {
    const std::uint32_t n = l.pass_on(from, to, run, taken.first, taken.count);
    CHECK(l.audit());
    return n;
  }
};

}  // namespace

TEST_CASE("ledger: items are passed on, there and back, and finished") {
  scene s;
  CHECK(s.pass(s.node, s.hand) == 4);
  CHECK(s.pass(s.node, s.hand) == 0);
  CHECK(s.l.counts(s.run).held == 4);
  CHECK(s.pass(s.hand, s.node) == 4);
  CHECK(s.pass(s.node, s.hand) == 4);
  CHECK(s.l.finished(s.hand, s.run, s.taken.first, 4, 4us) == 4);
  CHECK(s.l.counts(s.run).ready == 4);
  CHECK(s.l.cost(s.run) == 1us);
  CHECK(s.l.audit());
}

TEST_CASE("ledger: a stop drops what a node holds, but not what is in its hand") {
  scene s;
  SECTION("held by the node") {
    s.l.stop(s.run);
    CHECK(s.l.drained(s.run));
    CHECK(s.l.forgotten(s.node, s.run));
    CHECK(s.pass(s.node, s.hand) == 0);
  }
  SECTION("in its hand, and given back") {
    CHECK(s.pass(s.node, s.hand) == 4);
    s.l.stop(s.run);
    CHECK_FALSE(s.l.drained(s.run));
    CHECK(s.pass(s.hand, s.node) == 0);
    CHECK(s.l.drained(s.run));
  }
  SECTION("in its hand, and finished") {
    CHECK(s.pass(s.node, s.hand) == 4);
    s.l.stop(s.run);
    CHECK(s.l.finished(s.hand, s.run, s.taken.first, 4, 4us) == 4);
    CHECK(s.l.drained(s.run));
  }
  CHECK(s.l.audit());
  CHECK(s.l.held() == 0);
  s.l.close(s.run);
}

TEST_CASE("ledger: what was in a lost node's hand has not begun") {
  scene s;
  CHECK(s.l.pass_on(s.node, s.hand, s.run, s.taken.first, 1) == 1);
  CHECK(s.l.remove_worker(s.hand).empty());
  CHECK(s.l.remove_worker(s.node, [](auto, auto) { return mark::unseen; }).empty());
  CHECK(s.l.audit());
  CHECK(s.l.counts(s.run).queued == 10);
  CHECK(s.l.attempts(s.run, 0) == 1);
  CHECK(s.l.attempts(s.run, 1) == 2);
}

TEST_CASE("ledger: an item that came alone is a suspect") {
  ledger l;
  const auto run = l.open({.buffersize = 10});
  l.grant(run, 3);
  l.pulled(run, 0, 1);
  l.pulled(run, 1, 1, true);
  CHECK(l.audit());
  const auto worker = l.add_worker(100, 1, 75us, 4);
  CHECK_FALSE(l.take(worker).alone == l.take(worker).alone);
  CHECK(l.audit());
}
