// SPDX-License-Identifier: BSD-3-Clause
// Random workers die at random times during a long run.
#include <csignal>
#include <cstdint>
#include <iostream>
#include <random>
#include <ranges>
#include <thread>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/processes.hpp"
#include "support/seed.hpp"
#include "support/this_process.hpp"

using testing::eventually;

namespace {

/// A few microseconds of arithmetic.
struct work {
  std::uint64_t operator()(std::uint64_t x) const {
    std::uint64_t y = x;
    for (int i = 0; i != 2000; ++i) y = y * 6364136223846793005u + 1442695040888963407u;
    return y == 1 ? 0 : x;
  }
};

std::size_t resident_kib() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;)
    if (word == "VmRSS:") {
      std::size_t kib = 0;
      status >> kib;
      return kib;
    }
  return 0;
}

/// Kills random children from a thread of its own.
class killer {
public:
  killer(int kills, std::uint64_t items, const std::atomic<std::uint64_t>& taken)
      : thread_{[=, this, &taken](std::stop_token stop) {
          std::mt19937 random{testing::seed()};
          constexpr int signals[] = {SIGKILL, SIGSEGV, SIGABRT};
          while (!stop.stop_requested() && done_ != kills) {
            // Spread over the run, by its progress.
            const auto due =
                items / static_cast<std::uint64_t>(kills + 1) * static_cast<std::uint64_t>(done_);
            if (taken.load() < due) {
              std::this_thread::yield();
              continue;
            }
            const auto all = testing::children();
            if (all.empty()) continue;
            if (::kill(all[random() % all.size()], signals[random() % 3]) == 0) ++done_;
          }
        }} {}
  int done() {
    thread_.join();
    return done_;
  }

private:
  std::atomic<int> done_{0};
  std::jthread thread_;
};

void survive(int kills, std::uint64_t count) {
  const testing::belongings before;
  std::vector<char> seen(count);
  std::atomic<std::uint64_t> taken{0};
  std::size_t wrong = 0, early = 0, late = 0;
  fmap::map_stats stats;
  const auto begun = std::chrono::steady_clock::now();
  {
    fmap::process_pool pool{{.workers = 2, .restarts = 1'000'000}};
    fmap::future_map m{pool,
                       work{},
                       std::views::iota(std::uint64_t{0}, count),
                       {.buffersize = 1024, .max_attempts = 20}};
    killer k{kills, count, taken};
    for (auto& o : m.outcomes()) {
      if (!o.has_value() || o.value() != o.index() || ++seen[o.index()] != 1) ++wrong;
      if (++taken == count / 4) early = resident_kib();
      if (taken == count) late = resident_kib();
    }
    stats = m.stats();
    CHECK(k.done() == kills);
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begun);
  CHECK(wrong == 0);
  CHECK(taken == count);
  CHECK(stats.quarantined == 0);
  if (!testing::memory_is_watched) CHECK(late < early + 4096);
  CHECK(eventually([&] { return testing::belongings{}.no_more_than(before); }));
  std::cout << kills << " kills, " << count << " items: " << ms.count() << " ms, " << stats.retried
            << " retried, resident " << early << " KiB after a quarter, " << late
            << " KiB at the end\n";
}

}  // namespace

TEST_CASE("random kills lose and repeat nothing") { survive(20, 100'000); }

TEST_CASE("200 random kills in a run of 1,000,000 items", "[.long]") { survive(200, 1'000'000); }
