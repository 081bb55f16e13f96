// SPDX-License-Identifier: BSD-3-Clause
// What is worth while in a run, by what its items cost: tables, and the same conditions written down another way.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "src/kernel/cost_book.hpp"
#include "src/kernel/tempo.hpp"
#include "support/catch.hpp"

using namespace fmap::kernel;
using namespace std::chrono_literals;

TEST_CASE("tempo: grain, and what is worth a call, for usual costs and bounds") {
  struct row {
    std::chrono::nanoseconds cost;
    std::uint64_t bound;
    grain size;
    std::uint64_t worth_a_call, pull_at_most;
  };
  // For two workers.
  const row rows[] = {
      {0ns, 1024, grain::unknown, 1, unbounded},
      {5ns, 1024, grain::fine, 512, 80'000},
      {39ns, 1024, grain::fine, 512, 10'256},
      {40ns, 1024, grain::medium, 512, 10'000},
      {5us, 16, grain::medium, 8, 80},
      {5us, 1024, grain::medium, 160, 80},
      {19'999ns, 2, grain::fine, 1, 20},
      {19'999ns, 4, grain::medium, 2, 20},
      {20us, 1024, grain::coarse, 40, 20},
      {1ms, 1024, grain::coarse, 1, 2},
      {1s, 1, grain::coarse, 1, 2},
  };
  for (const row& r : rows) {
    CAPTURE(r.cost.count(), r.bound);
    const tempo t = tempo_of(r.cost, {.buffersize = r.bound}, 2);
    CHECK(t.cost == r.cost);
    CHECK(t.size == r.size);
    CHECK(t.worth_a_call == r.worth_a_call);
    CHECK(t.pull_at_most == r.pull_at_most);
  }
}

TEST_CASE("tempo: the same as two flags and four formulas, for every combination") {
  int wrong = 0;
  for (const std::int64_t cost : {0, 1, 5, 50, 500, 5000, 19'999, 20'000, 1'000'000})
    for (const std::uint64_t bound : {1u, 2u, 16u, 64u, 256u, 1024u, 1u << 22})
      for (const bool has_input : {false, true})
        for (const std::int64_t tell_after : {0, 50'000})
          for (const bool by_cost : {true, false})
            for (const std::uint32_t workers : {1u, 2u, 64u}) {
              const tempo t = tempo_of(std::chrono::nanoseconds{cost},
                                       {.buffersize = bound,
                                        .by_cost = by_cost,
                                        .pulled = has_input,
                                        .tell_after = std::chrono::nanoseconds{tell_after}},
                                       workers);
              bool light = false, cheap = false;
              std::uint64_t wake_after = 1, at_a_time = unbounded;
              if (cost != 0) {
                const std::uint64_t half = std::max<std::uint64_t>(bound / 2, 1);
                const std::int64_t worth = has_input ? 800'000 : tell_after;
                wake_after = std::min(
                    std::max(static_cast<std::uint64_t>(worth / cost), std::uint64_t{1}), half);
                if (by_cost)
                  at_a_time = std::max<std::uint64_t>(static_cast<std::uint64_t>(200'000 / cost), 1)
                              * workers;
                light = worth != 0 && cost < 20'000;
                const std::uint64_t brought =
                    has_input ? std::min(half, std::uint64_t{1} << 20) : 1;
                cheap = light && static_cast<std::uint64_t>(cost) * brought < 20'000;
              }
              const grain size = cost == 0 ? grain::unknown
                                 : cheap   ? grain::fine
                                 : light   ? grain::medium
                                           : grain::coarse;
              wrong +=
                  t.size != size || t.worth_a_call != wake_after || t.pull_at_most != at_a_time;
              wrong += enough_tokens(t.size, bound)
                       != (cheap ? std::max<std::uint64_t>(bound / 4, 1) : 1);
            }
  CHECK(wrong == 0);
}

TEST_CASE("tempo: a run whose cost is not known any more pulls as much at a time as it did") {
  const tempo before = tempo_of(1us, {.buffersize = 64}, 2);
  const tempo after = tempo_of(0ns, {.buffersize = 64}, 2, before);
  CHECK(after.size == grain::unknown);
  CHECK(after.worth_a_call == 1);
  CHECK(after.pull_at_most == before.pull_at_most);
}

TEST_CASE("tempo: a quick source publishes less and less often, a slow one more and more") {
  CHECK(fill_rate(1, 20us, 256) == 2);
  CHECK(fill_rate(128, 0us, 256) == 256);
  CHECK(fill_rate(256, 0us, 256) == 256);
  CHECK(fill_rate(64, 21us, 256) == 64);
  CHECK(fill_rate(64, 50us, 256) == 32);
  CHECK(fill_rate(1, 1s, 256) == 1);
  CHECK(fill_rate(0, 0us, 256) == 0);  // whose run was stopped meanwhile
}

TEST_CASE("tempo: a bound that was left open is raised to four batches for each worker") {
  using bound = std::optional<std::uint64_t>;
  CHECK(raised_bound(0ns, 16, 1024, 2) == bound{});
  CHECK(raised_bound(1us, 16, 1024, 2) == bound{600});
  CHECK(raised_bound(1us, 300, 1024, 2) == bound{600});
  CHECK(raised_bound(1us, 301, 1024, 2) == bound{});
  CHECK(raised_bound(10ns, 16, 1024, 2) == bound{1024});
  CHECK(raised_bound(10ns, 1023, 1024, 2) == bound{1024});
  CHECK(raised_bound(10ns, 1024, 1024, 2) == bound{});
  CHECK(raised_bound(1ms, 16, 1024, 2) == bound{});
}

TEST_CASE("cost book: a heavy run among light ones is believed for a while") {
  cost_book book;
  CHECK(book.expected(1) == 0us);
  book.remember(1, 1000us);
  book.remember(1, 2us);
  CHECK(book.expected(1) == 501us);
  book.remember(1, 700us);
  CHECK(book.expected(1) == 700us);
  CHECK(book.expected(2) == 0us);
}

TEST_CASE("cost sampler: all light batches, the first heavy ones, and then one of seven") {
  cost_sampler sampler;
  int light = 0, first = 0, later = 0;
  for (int i = 0; i != 100; ++i) light += sampler.next(false);
  for (int i = 0; i != 64; ++i) first += sampler.next(true);
  for (int i = 0; i != 70; ++i) later += sampler.next(true);
  CHECK(light == 100);
  CHECK(first == 64);
  CHECK(later == 10);
}
