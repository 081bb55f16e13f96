// SPDX-License-Identifier: BSD-3-Clause
// The ledger's policies, each alone: verdict, cost, batch size, fair share.

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "src/kernel/batch_size.hpp"
#include "src/kernel/cost.hpp"
#include "src/kernel/fair_share.hpp"
#include "src/kernel/verdict.hpp"
#include "support/catch.hpp"

using namespace fmap::kernel;
using namespace std::chrono_literals;

namespace {

constexpr auto requeue = verdict::requeue, requeue_alone = verdict::requeue_alone,
               retry_alone = verdict::retry_alone, quarantined = verdict::quarantined,
               result_lost = verdict::result_lost, expired = verdict::expired;

/// The verdict on an item by how its worker held it. `charged`: it is one death more.
struct table_line {
  mark seen;
  std::uint32_t deaths, max_attempts;
  verdict among_others, only_one, suspect;  // the last one: of others, or not
  bool charged;
  std::optional<bool> charged_only_one{}, charged_suspect{};
};

}  // namespace

TEST_CASE("verdict: the complete table") {
  const auto lines = std::vector<table_line>{
      // 3 attempts, the first, the second and the last one
      {mark::waiting, 0, 3, requeue, requeue, requeue_alone, false},
      {mark::waiting, 1, 3, requeue, requeue, requeue_alone, false},
      {mark::waiting, 2, 3, requeue, requeue, requeue_alone, false},
      {mark::running, 0, 3, retry_alone, retry_alone, retry_alone, true},
      {mark::running, 1, 3, retry_alone, retry_alone, retry_alone, true},
      {mark::running, 2, 3, quarantined, quarantined, quarantined, true},
      {mark::finished, 0, 3, requeue, requeue, retry_alone, true},
      {mark::finished, 1, 3, requeue_alone, requeue_alone, retry_alone, true},
      {mark::finished, 2, 3, requeue_alone, requeue_alone, quarantined, true},
      {mark::interrupted, 0, 3, requeue, requeue, requeue_alone, false},
      {mark::interrupted, 1, 3, requeue, requeue, requeue_alone, false},
      {mark::interrupted, 2, 3, requeue, requeue, requeue_alone, false},
      {mark::unknown, 0, 3, requeue_alone, retry_alone, requeue_alone, false, true},
      {mark::unknown, 1, 3, requeue_alone, retry_alone, requeue_alone, false, true},
      {mark::unknown, 2, 3, requeue_alone, quarantined, requeue_alone, false, true},
      {mark::expired, 0, 3, expired, expired, expired, false},
      {mark::expired, 2, 3, expired, expired, expired, false},
      {mark::unseen, 0, 3, requeue, requeue, retry_alone, true},
      {mark::unseen, 1, 3, requeue_alone, requeue_alone, retry_alone, true},
      {mark::unseen, 2, 3, requeue_alone, requeue_alone, quarantined, true},
      // 2 attempts: what may have run runs alone at once
      {mark::finished, 0, 2, requeue_alone, requeue_alone, retry_alone, true},
      {mark::unseen, 0, 2, requeue_alone, requeue_alone, retry_alone, true},
      {mark::running, 1, 2, quarantined, quarantined, quarantined, true},
      // many attempts: alone from the second time on
      {mark::finished, 0, 9, requeue, requeue, retry_alone, true},
      {mark::finished, 1, 9, requeue_alone, requeue_alone, retry_alone, true},
      // 1 attempt: nothing that may have run is repeated
      {mark::waiting, 0, 1, requeue, requeue, requeue_alone, false},
      {mark::running, 0, 1, quarantined, quarantined, quarantined, true},
      {mark::finished, 0, 1, result_lost, result_lost, quarantined, false, false, true},
      {mark::interrupted, 0, 1, result_lost, result_lost, result_lost, false},
      {mark::unknown, 0, 1, result_lost, quarantined, result_lost, false, true},
      {mark::expired, 0, 1, expired, expired, expired, false},
      {mark::unseen, 0, 1, result_lost, result_lost, quarantined, false, false, true},
  };
  for (const table_line& t : lines) {
    CAPTURE(static_cast<int>(t.seen), t.deaths, t.max_attempts);
    const auto judged = [&](bool held_alone, bool was_alone) {
      return judge({t.seen, held_alone, was_alone, t.deaths, t.max_attempts});
    };
    CHECK(judged(false, false) == judgement{t.among_others, t.charged});
    CHECK(judged(true, false) == judgement{t.only_one, t.charged_only_one.value_or(t.charged)});
    CHECK(judged(false, true) == judgement{t.suspect, t.charged_suspect.value_or(t.charged)});
  }
}

TEST_CASE("verdict: whatever happens, an item ends after max_attempts deaths that were charged") {
  for (int m = 0; m <= static_cast<int>(mark::unseen); ++m)
    for (const bool held_alone : {false, true})
      for (const bool was_alone : {false, true})
        for (std::uint32_t most = 0; most != 5; ++most)
          for (std::uint32_t deaths = 0; deaths < std::max(most, 1u); ++deaths) {
            CAPTURE(m, held_alone, was_alone, most, deaths);
            const auto seen = static_cast<mark>(m);
            const judgement j = judge({seen, held_alone, was_alone, deaths, most});
            const bool again =
                j.what == requeue || j.what == requeue_alone || j.what == retry_alone;
            // What never ran is never charged, and never ends.
            if (seen == mark::waiting) CHECK((again && !j.charged));
            if (j.what == quarantined) CHECK((j.charged && deaths + 1 >= std::max(most, 1u)));
            if (j.what == retry_alone) CHECK((j.charged && deaths + 1 < most));
            // Nobody who was alone comes among others again.
            if (was_alone) CHECK(j.what != requeue);
            if (most <= 1 && seen != mark::waiting) CHECK_FALSE(again);
          }
}

TEST_CASE("cost: the mean of what was measured, which follows within 512 items") {
  cost_estimate c;
  CHECK(c.each() == 0);
  CHECK_FALSE(c.measured());
  c.learn(4, 40us);
  CHECK(c.rounded() == 10us);
  c.learn(4, 80us);
  CHECK(c.rounded() == 15us);
  for (int i = 0; i != 8; ++i) c.learn(512, 512 * 1us);
  CHECK(c.each() < 1100);
  c.learn(1'000'000, 0ns);
  CHECK(c.each() >= 0.1);
  c.distrust();
  CHECK(c.each() == 0);
}

TEST_CASE(
    "cost: what was expected holds until something is measured, and if lower counts as 8 items") {
  cost_estimate c;
  c.expect(1us);
  CHECK(c.rounded() == 1us);
  CHECK_FALSE(c.measured());
  c.learn(1, 100us);
  CHECK(c.rounded() == 12us);
  cost_estimate higher;
  higher.expect(1s);
  higher.learn(1, 100us);
  CHECK(higher.rounded() == 100us);
}

TEST_CASE(
    "batch size: a batch lasts for the batch time for each thread, and shares what is queued") {
  struct row {
    double cost;
    std::uint64_t queued, weights;
    std::uint32_t weight, growing, most, expected;
  };
  const row r =
      GENERATE(row{0, 1000, 1, 1, 256, 1000, 1},         // unknown: one
               row{1000, 1000, 1, 1, 65536, 1000, 75},   // 75 us
               row{1000, 1000, 1, 1, 16, 1000, 16},      // while it grows
               row{1000, 1000, 1, 1, 65536, 40, 40},     // what lies together
               row{1000, 1000, 64, 1, 65536, 1000, 20},  // worth a visit rather than shared
               row{1000, 4000, 64, 1, 65536, 1000, 63},  // a share
               row{1000, 4000, 4, 4, 65536, 1000, 300},  // 75 us for each of 4 threads
               row{1e6, 1000, 2, 2, 65536, 1000, 2},     // of slow items one for each
               row{1000, 0, 1, 1, 65536, 0, 0});
  CAPTURE(r.cost, r.queued, r.weights, r.weight, r.growing, r.most);
  CHECK(batch_size({.cost = r.cost,
                    .queued = r.queued,
                    .buffersize = 100'000,
                    .growing = r.growing,
                    .weights = r.weights,
                    .most = r.most},
                   {.capacity = 100'000, .weight = r.weight})
        == r.expected);
}

TEST_CASE("batch size: a node's threads without work are served by one message") {
  const worker_shape node{.capacity = 1000, .weight = 64, .is_node = true, .hold = 1ms};
  const batch_scene all{.cost = 1e7, .queued = 80, .growing = 1, .weights = 6400, .most = 80};
  CHECK(batch_size(all, node) == 64);
  batch_scene most_are_busy = all;
  most_are_busy.held = 60;
  most_are_busy.most = 10;
  CHECK(batch_size(most_are_busy, node) == 5);
  batch_scene unknown = all;
  unknown.cost = 0;
  CHECK(batch_size(unknown, node) == 64);
}

TEST_CASE("batch size: what a worker may hold") {
  const worker_shape thread{.capacity = 1000};
  CHECK(most_held(1e9, thread) == 1000);
  const worker_shape process{.capacity = 1000, .weight = 2, .batch_time = 150us, .depth = 4};
  CHECK(most_held(0, process) == 2);
  CHECK(most_held(1e3, process) == 1000);
  CHECK(most_held(1e5, process) == 12);
  CHECK(most_held(1e6, process) == 4);  // 600 us are a tenth of two
  CHECK(most_held(1e7, process) == 2);
  const worker_shape node{.capacity = 1000, .weight = 64, .is_node = true, .hold = 1ms};
  CHECK(most_held(0, node) == 64);
  CHECK(most_held(1e6, node) == 128);
  CHECK(most_held(1e8, node) == 65);
  CHECK(room(1e6, 10, node) == 118);
  CHECK(room(1e6, 64, node) == 64);
  CHECK(room(1e6, 107, node) == 21);  // a third of what it holds ahead
  CHECK(room(1e6, 108, node) == 0);
  CHECK(room(1e6, 128, node) == 0);
  for (std::uint32_t held = 64; held != 128; ++held)
    CHECK((room(1e6, held, node) == 0) == (128 - held < 64 / tuning::refill_share));
}

TEST_CASE("nodes: what is held ahead, reported and bounded follows the round trip, the nodes and "
          "their threads") {
  CHECK(hold_for(0us, 150us) == 600us);
  CHECK(hold_for(300us, 150us) == 750us);
  CHECK(hold_for(50ms, 150us) == 100150us);
  CHECK(report_after(1) == 500us);
  CHECK(report_after(50) == 500us);
  CHECK(report_after(1000) == 10ms);
  CHECK(tokens_for(0, {.weight = 4}) == 8);
  CHECK(tokens_for(1e6, {.weight = 64, .hold = 1ms}) == 192);
  CHECK(tokens_for(1, {.weight = 64, .hold = 1s}) == 1u << 20);
  CHECK(worth_a_message(1e6, 1, 100));
  CHECK_FALSE(worth_a_message(50, 99, 800));
  CHECK(worth_a_message(50, 100, 800));
  CHECK_FALSE(worth_a_message(1000, 19, 8000));
  CHECK(worth_a_message(1000, 20, 8000));
}

TEST_CASE("fair share: next is who has used least, and who had nothing to do is not owed it") {
  fair_clock clock;
  used_time a, b, c;
  clock.enter(a);
  clock.enter(b);
  a.charge(100);
  CHECK(served_before(b, 5, a, 0));
  b.charge(100);
  CHECK(served_before(b, 1, a, 2));
  CHECK_FALSE(served_before(a, 2, b, 2));
  b.refund(50);
  CHECK(served_before(b, 9, a, 0));
  clock.serve(a);
  clock.enter(c);
  CHECK(c.ns() == 100);
  clock.enter(a);
  CHECK(a.ns() == 100);
}

TEST_CASE("batches that are one call: a share of the bound, and of what is queued") {
  const worker_shape thread{.capacity = 1000};
  const worker_shape four{.capacity = 1000, .weight = 4, .depth = 4};
  struct row {
    whole_scene scene;
    std::uint32_t most, expected, expected_of_four;
  };
  const row rows[] = {
      {{.queued = 100, .buffersize = 64, .weights = 2}, 1000, 16, 64},
      {{.queued = 100, .buffersize = 64, .weights = 8}, 1000, 4, 16},
      {{.queued = 20, .buffersize = 64, .weights = 2}, 1000, 10, 20},
      {{.queued = 1, .buffersize = 64, .weights = 8}, 1000, 1, 1},
      {{.queued = 9000, .buffersize = 9000, .weights = 2}, 9000, 256, 1024},
      {{.queued = 100, .buffersize = 64, .weights = 2}, 5, 5, 5},
      {{.queued = 1, .buffersize = 1, .weights = 0}, 1, 1, 1},
      {{.queued = 20, .buffersize = 64, .chunksize = 16, .weights = 2}, 1000, 16, 64},
      {{.queued = 64, .buffersize = 256, .weights = 2, .held = 250}, 1000, 64, 256},
  };
  for (const row& r : rows) {
    INFO(r.scene.queued << " queued, " << r.scene.weights << " threads, at most " << r.most);
    CHECK(whole_batch(r.scene, r.most, thread) == r.expected);
    CHECK(whole_batch(r.scene, r.most, four) == r.expected_of_four);
  }
}

TEST_CASE("batches that are one call: who gets messages and is at work gets full ones") {
  const worker_shape thread{.capacity = 1000};
  const worker_shape one{.capacity = 1000, .depth = 4};
  const worker_shape four{.capacity = 1000, .weight = 4, .depth = 4};
  const auto room = [](std::uint64_t queued, std::uint32_t held, const worker_shape& w,
                       std::uint32_t most = 1000) {
    return whole_room({.queued = queued, .buffersize = 1000, .chunksize = 16, .held = held}, most,
                      w);
  };
  CHECK(room(1, 0, thread) == 16);
  CHECK(room(1, 16, thread) == 0);
  CHECK(room(1, 20, thread) == 0);
  CHECK(room(1, 0, one) == 32);
  CHECK(room(15, 1, one) == 0);
  CHECK(room(16, 1, one) == 31);
  CHECK(room(16, 17, one) == 0);  // there is no room for a full one
  CHECK(room(1, 0, four) == 128);
  CHECK(room(1, 1, four) == 127);  // three threads have nothing to do
  CHECK(room(1, 48, four) == 80);
  CHECK(room(15, 49, four) == 0);
  CHECK(room(16, 49, four) == 79);
  CHECK(room(16, 113, four) == 0);
  CHECK(room(1, 0, one, 5) == 5);
  CHECK(room(100, 1, one, 5) == 0);
  CHECK(room(100, 0, one, 0) == 0);
}
