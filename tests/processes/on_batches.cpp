// SPDX-License-Identifier: BSD-3-Clause
// Functions that take many items in one call, in worker processes that die.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <latch>
#include <ranges>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"
#include "support/processes.hpp"

using namespace std::chrono_literals;
using testing::logbook;

namespace {

enum class end { killed, exits, sleeps };

enum class delivers { at_once, at_last };

/// Comes to an end at one item. What is before that in the batch has been delivered then, or nothing has.
template <int Poison, end How, delivers When>
struct poisoned {
  void operator()(std::span<const int> in, fmap::delivery<int> deliver) const {
    for (std::size_t i = 0; i != in.size(); ++i) {
      if (in[i] == Poison) {
        logbook::write(Poison);
        switch (How) {
          case end::killed: std::raise(SIGKILL); break;
          case end::exits: std::_Exit(3);
          case end::sleeps: std::this_thread::sleep_for(1h);
        }
      }
      if (When == delivers::at_once) deliver(i, in[i]);
    }
    if (When == delivers::at_last)
      for (std::size_t i = 0; i != in.size(); ++i) deliver(i, in[i]);
  }
};

/// An item whose destructor kills a worker process.
struct deadly {
  static constexpr int bomb = -7;
  int n = 0;

  deadly() = default;
  explicit deadly(int n) : n{n} {}
  deadly(deadly&& d) noexcept : n{std::exchange(d.n, 0)} {}
  deadly(const deadly&) = default;
  ~deadly() {
    if (n == bomb && std::getenv("FMAP_TEST_LOG") != nullptr) std::raise(SIGKILL);
  }
};
template <class Inspector>
auto inspect(Inspector& f, deadly& d) {
  return f(d.n);
}

struct tally {
  int values = 0, lost = 0;
  std::vector<std::uint64_t> failed{};
};
template <class Map>
tally count(Map& m) {
  tally result;
  std::vector<char> seen;
  for (const auto& o : m.outcomes()) {
    seen.resize(std::max<std::size_t>(seen.size(), o.index() + 1));
    CHECK(++seen[o.index()] == 1);
    if (o) {
      ++result.values;
    } else {
      ++result.lost;
      result.failed.push_back(o.index());
    }
  }
  return result;
}

}  // namespace

TEMPLATE_TEST_CASE_SIG(
    "on_batches: a poison item among 100,000 kills once with its batch, and then alone", "",
    ((delivers When), When), delivers::at_once, delivers::at_last) {
  const std::size_t threads = GENERATE(1, 3);
  const logbook log;
  fmap::process_pool pool{{.workers = 2,
                           .threads_per_worker = threads,
                           .restarts = 0,
                           .environment = {log.variable()}}};
  fmap::future_map m{pool, fmap::on_batches(poisoned<61'803, end::killed, When>{}),
                     std::views::iota(0, 100'000), 1024};
  const tally t = count(m);
  CHECK(t.values == 99'999);
  CHECK(t.failed == std::vector<std::uint64_t>{61'803});
  const auto runs = log.counts().at(61'803);
  CHECK(runs >= 3);
  CHECK(runs <= 4);
  CHECK(m.stats().quarantined == 1);
}

TEST_CASE("on_batches: where each item may be tried once, the batch is lost and nothing else") {
  const logbook log;
  fmap::process_pool pool{{.workers = 2, .restarts = 0, .environment = {log.variable()}}};
  fmap::future_map m{pool, fmap::on_batches(poisoned<500, end::exits, delivers::at_last>{}),
                     std::views::iota(0, 1000),
                     fmap::map_options{.buffersize = 64, .chunksize = 16, .max_attempts = 1}};
  const tally t = count(m);
  CHECK(t.values + t.lost == 1000);
  CHECK(t.lost >= 1);
  CHECK(t.lost <= 32);  // what was on its way to the same process may have begun
  CHECK(std::count(t.failed.begin(), t.failed.end(), 500) == 1);
}

TEMPLATE_TEST_CASE_SIG("on_batches: an item that takes too long is found among those of its batch",
                       "", ((delivers When), When), delivers::at_once, delivers::at_last) {
  const logbook log;
  fmap::process_pool pool{{.workers = 2, .restarts = 0, .environment = {log.variable()}}};
  fmap::future_map m{pool, fmap::on_batches(poisoned<77, end::sleeps, When>{}),
                     std::views::iota(0, 400),
                     fmap::map_options{.buffersize = 64, .item_timeout = 100ms}};
  int values = 0, expired = 0;
  for (const auto& o : m.outcomes()) {
    if (o) {
      ++values;
      continue;
    }
    ++expired;
    CHECK(o.index() == 77);
    CHECK_THROWS_AS(std::rethrow_exception(o.error()), fmap::item_timeout);
  }
  CHECK(values == 399);
  CHECK(expired == 1);
  CHECK(m.stats().quarantined == 0);
}

TEST_CASE("on_batches: a destructor of an item may kill, when all has been delivered") {
  const logbook log;  // only worker processes know of it
  fmap::process_pool pool{{.workers = 2, .restarts = 0, .environment = {log.variable()}}};
  constexpr auto fn = [](std::span<const deadly> in, fmap::delivery<int> deliver) {
    for (std::size_t i = 0; i != in.size(); ++i) deliver(i, in[i].n);
  };
  std::vector<deadly> items;
  for (int i = 0; i != 100; ++i) items.emplace_back(i == 33 ? deadly::bomb : i);
  fmap::future_map m{pool, fmap::on_batches(fn), std::move(items), 32};
  const tally t = count(m);
  CHECK(t.values >= 99);  // its own outcome may have arrived before
  CHECK(t.values + t.lost == 100);
  for (const std::uint64_t index : t.failed) CHECK(index == 33);
}

TEST_CASE(
    "on_batches: an idle thread of a process gets an item, though others of them are at work") {
  // Two calls that wait for each other.
  const logbook log;
  fmap::process_pool pool{{.workers = 1, .threads_per_worker = 2, .environment = {log.variable()}}};
  constexpr auto meet_there = [](std::span<const int> in, fmap::delivery<int> deliver) {
    static std::latch both{2};
    for (std::size_t i = 0; i != in.size(); ++i) {
      logbook::write(static_cast<std::uint64_t>(in[i]));
      both.arrive_and_wait();
      deliver(i, in[i]);
    }
  };
  testing::made_range input{[&](std::uint64_t i) {
                              if (i == 1)
                                testing::eventually([&] { return !log.counts().empty(); });
                              return static_cast<int>(i);
                            },
                            2};
  fmap::future_map m{pool, fmap::on_batches(meet_there), input, 16};
  CHECK(count(m).values == 2);
}

TEST_CASE("on_batches: two runs share the processes") {
  fmap::process_pool pool{2};
  constexpr auto batches = [](std::span<const int> in, fmap::delivery<int> deliver) {
    for (std::size_t i = 0; i != in.size(); ++i) deliver(i, in[i]);
  };
  constexpr auto other = [](int x) { return x; };
  fmap::future_map endless{pool, other, std::views::iota(0), 4096};
  auto it = endless.begin();
  fmap::future_map m{pool, fmap::on_batches(batches), std::views::iota(0, 3000), 100};
  std::atomic<bool> over{false};
  std::jthread keeps_busy{[&] {
    while (!over) ++it;
  }};
  CHECK(count(m).values == 3000);
  over = true;
}
