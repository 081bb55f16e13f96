// SPDX-License-Identifier: BSD-3-Clause
// Random agents and worker processes die at random times during a long run.
#include <atomic>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <random>
#include <ranges>
#include <thread>
#include <vector>

#include <signal.h>

#include <fmap/fmap.hpp>
#include <fmap/node_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/nodes.hpp"
#include "support/seed.hpp"

using namespace std::chrono_literals;

namespace {

/// A few microseconds of arithmetic.
struct work {
  std::uint64_t operator()(std::uint64_t x) const {
    std::uint64_t y = x;
    for (int i = 0; i != 2000; ++i) y = y * 6364136223846793005u + 1442695040888963407u;
    return y == 1 ? 0 : x;
  }
};

/// Kills agents and their workers from a thread of its own, spread over the run by its progress.
class killer {
public:
  killer(int kills, std::uint64_t items, const std::atomic<std::uint64_t>& taken)
      : thread_{[=, this, &taken](std::stop_token stop) {
          std::mt19937 random{testing::seed()};
          while (!stop.stop_requested() && done_ != kills) {
            const auto due =
                items / static_cast<std::uint64_t>(kills + 1) * static_cast<std::uint64_t>(done_);
            if (taken.load() < due) {
              std::this_thread::yield();
              continue;
            }
            const auto agents = testing::children();
            if (agents.empty()) continue;
            const pid_t agent = agents[random() % agents.size()];
            const auto workers = testing::children_of(agent);
            const bool the_agent = random() % 3 == 0 || workers.empty();
            if (::kill(the_agent ? agent : workers[random() % workers.size()], SIGKILL) == 0) {
              ++done_;
              if (the_agent) ++agents_;
            }
          }
        }} {}
  void join() { thread_.join(); }
  int done() const { return done_; }
  int agents() const { return agents_; }

private:
  std::atomic<int> done_{0}, agents_{0};
  std::jthread thread_;
};

void survive(int kills, std::uint64_t count) {
  const testing::belongings before;
  std::vector<char> seen(count);
  std::atomic<std::uint64_t> taken{0};
  std::size_t wrong = 0;
  {
    fmap::node_pool pool{{.launch = testing::node_commands(2, 2, 1'000'000)}};
    fmap::future_map m{pool,
                       work{},
                       std::views::iota(std::uint64_t{0}, count),
                       {.buffersize = 1024, .max_attempts = 20}};
    killer k{kills, count, taken};
    for (auto& o : m.outcomes()) {
      if (!o.has_value() || o.value() != o.index() || ++seen[o.index()] != 1) ++wrong;
      ++taken;
    }
    k.join();
    CHECK(k.done() == kills);
    CHECK(m.stats().quarantined == 0);
    std::cout << kills << " kills, " << k.agents() << " of them agents, " << count << " items, "
              << m.stats().retried << " retried\n";
  }
  CHECK(wrong == 0);
  CHECK(taken == count);
  CHECK(testing::eventually([&] { return testing::belongings{}.no_more_than(before); }));
}

}  // namespace

TEST_CASE("nodes: random kills lose and repeat nothing") { survive(15, 50'000); }

TEST_CASE("nodes: 1000 random kills in a run of 1,000,000 items", "[.long]") {
  survive(1000, 1'000'000);
}
