// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox: what is expected of a run before any of its items has been measured.

#include <chrono>
#include <memory>
#include <numeric>
#include <vector>

#include "support/catch.hpp"
#include "support/mailbox_stage.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Runs eight items of a cost, and returns what they had been expected to cost.
ledger::duration run_eight(stage& s, std::chrono::nanoseconds each) {
  hand_stub stub{s.box};
  const run_ptr r = s.open(
      {.buffersize = 8}, [](int x) { return x; }, 8);
  const auto expected = r->pace.cost;
  s.pull_all(*r);
  while (const parcel p = stub.take()) stub.finish(p, each);
  CHECK(s.take(*r).size() == 8);
  s.box.close(*r);
  s.box.leave(stub.place);
  return expected;
}

}  // namespace

TEST_CASE("mailbox: the next run of a function is expected to cost what the last one did") {
  stage s{1};
  CHECK(run_eight(s, 1us) == 0us);
  CHECK(run_eight(s, 3us) == 1us);
  CHECK(run_eight(s, 3us) == 2us);  // what had been expected counts as eight items
  const auto other = std::make_shared<function_job<int, int (*)(int)>>([](int x) { return x; });
  const run_ptr r = s.open(
      {.buffersize = 8}, other, [](std::uint64_t) { return 0; }, 8);
  CHECK(r->pace.cost == 0us);
  s.box.close(*r);
}

TEST_CASE("mailbox: a heavy run among light ones is not forgotten at once") {
  stage s{1};
  run_eight(s, 1ms);
  CHECK(run_eight(s, 2us) == 1ms);
  CHECK(run_eight(s, 2us) == 501us);
  for (int i = 0; i != 20; ++i) run_eight(s, 2us);
  CHECK(run_eight(s, 2us) < 4us);
}

TEST_CASE("mailbox: a run without a measured item leaves what is expected as it was") {
  stage s{1};
  run_eight(s, 5us);
  const run_ptr r = s.open({.buffersize = 8}, [](int x) { return x; });
  s.box.close(*r);
  CHECK(run_eight(s, 5us) == 5us);
}

TEST_CASE("mailbox: for light items one worker is woken, and the others when an item takes long") {
  const bool looked = GENERATE(false, true);  // the consumer notices, or the tick
  stage s{3};
  hand_worker third{s.box}, second{s.box}, first{s.box};
  int rung_at_first = 1, rung_later = 0;
  ledger::duration cost_later{};
  // A tenth of a millisecond may pass between two lines, and then nobody counts on the first worker.
  for (int round = 0; round != 1000 && rung_at_first != 0; ++round) {
    for (int i = 0; i != 30; ++i) run_eight(s, 10ns);  // until the round before is forgotten
    for (hand_worker* w : {&third, &second, &first}) {
      w->work();
      w->bell->rung = 0;
    }
    run_ptr r;
    r = s.open(
        {.buffersize = 8},
        [&](int x) {
          if (x != 0) return x;
          rung_at_first = second.bell->rung;
          if (looked) {
            s.box.distrust(*r);
          } else {
            outlast_patience();
            s.box.tick();
          }
          cost_later = r->pace.cost;
          second.work();  // wakes the third
          rung_later = second.bell->rung + third.bell->rung;
          return x;
        },
        8);
    s.pull_all(*r);
    CHECK(first.bell->rung == 1);
    first.work();
    s.take(*r);
    s.box.close(*r);
  }
  CHECK(rung_at_first == 0);
  CHECK(rung_later == 2);
  CHECK(cost_later == 0ns);
}

TEST_CASE(
    "mailbox: what was taken at a time because it seemed light goes back when that is doubted") {
  const int slow = GENERATE(0, 5);
  stage s{2};
  hand_worker w{s.box};
  fmap::actors::run_counts counts;
  ledger::duration cost{1};
  run_ptr r;
  r = s.open(
      {.buffersize = 64, .expected_cost = 10ns},
      [&](int x) {
        if (x != slow) return x;
        CHECK(s.box.stats(*r).counts.held > 1);
        s.box.distrust(*r);
        counts = s.box.stats(*r).counts;
        cost = r->pace.cost;
        return x;
      },
      64);
  s.pull_all(*r);
  w.work();
  CHECK(counts.held == 1);
  CHECK(counts.queued == static_cast<std::uint64_t>(63 - slow));
  CHECK(cost == 0ns);
  CHECK(s.take(*r).size() == 64);
  s.box.close(*r);
}

TEST_CASE("mailbox: of an input at hand no more is pulled than lasts the workers for a while") {
  const auto cost = GENERATE(std::chrono::nanoseconds{1us}, 20us, 1ms);
  stage s{2};
  hand_worker w{s.box};
  std::uint64_t pulled = 0;
  run_ptr r;
  std::vector<int> items(1000);
  std::iota(items.begin(), items.end(), 0);
  r = s.open_at_hand(
      {.buffersize = 256, .expected_cost = cost},
      [&](int x) {
        if (x == 0) pulled = s.box.stats(*r).counts.pulled;
        return x;
      },
      items);
  w.work();
  CHECK(pulled == (cost == 1us ? 128 : cost == 20us ? 20 : 2));
  s.box.close(*r);
}

TEST_CASE("mailbox: what is expected holds while an item takes no longer than that") {
  stage s{2};
  hand_worker w{s.box};
  run_ptr r;
  ledger::duration cost{};
  r = s.open({.buffersize = 8, .expected_cost = 1h}, [&](int x) {
    if (x != 0) return x;
    outlast_patience();
    s.box.tick();
    cost = r->pace.cost;
    return x;
  });
  s.pull_all(*r);
  w.work();
  CHECK(cost == 1h);
  s.box.close(*r);
}

TEST_CASE("mailbox: of an input at hand as much is pulled as batches of a given size need") {
  stage s{2};
  hand_worker w{s.box};
  std::vector<int> items(1000);
  const run_ptr r = s.open_at_hand(
      {.buffersize = 256, .chunksize = 100, .expected_cost = 1ms}, [](int x) { return x; }, items);
  outcome_span first;
  w.work();
  REQUIRE(s.box.next(*r, first) == next_result::outcomes);
  CHECK(first.count == 100);
  r->work->clear(*first.in, first.end - first.count, first.end);
  r->seen.taken += first.count;
  s.box.close(*r);
}

TEST_CASE("mailbox: a consumer who looks for light items is told of half a bound of them") {
  stage s{1};
  hand_stub stub{s.box};
  const run_ptr r = s.open(
      {.buffersize = 16, .expected_cost = 5us}, [](int x) { return x; }, 16);
  s.pull_all(*r);
  outcome_span span;
  REQUIRE(s.box.next_looking(*r, span) == next_result::wait);
  const auto do_one = [&] { stub.finish(s.box.take(stub.place, 1), 5us); };
  for (int i = 0; i != 7; ++i) do_one();
  CHECK_FALSE(r->seen.something_for_sink);
  do_one();
  CHECK(r->seen.something_for_sink);
  CHECK(s.sink->rung == 0);
  CHECK(s.take(*r).size() == 8);
  while (const parcel p = stub.take()) stub.finish(p, 5us);
  CHECK(s.take(*r).size() == 8);
  s.box.close(*r);
  s.box.leave(stub.place);
}

TEST_CASE("mailbox: what is taken from a batch that nobody watches does not look free of cost") {
  constexpr int batches_before = 80, batches = 7;  // one of seven is watched
  stage s{1};
  hand_worker w{s.box};
  int splits = 0, changes = 0;
  run_ptr r;
  r = s.open(
      {.buffersize = 2 * (batches_before + batches), .chunksize = 2},
      [&](int x) {
        const auto until = fmap::actors::clock::now() + 30us;
        while (fmap::actors::clock::now() < until) {}
        if (x < 2 * batches_before || x % 2 == 0) return x;
        const auto cost = s.box.cost(*r);
        outlast_patience();
        s.box.tick();
        ++splits;
        changes += s.box.cost(*r) != cost;
        return x;
      },
      2 * (batches_before + batches));
  s.pull_all(*r);
  w.work();
  CHECK(splits == batches);
  CHECK(changes <= 1);
  CHECK(s.take(*r).size() == 2 * (batches_before + batches));
  s.box.close(*r);
}
