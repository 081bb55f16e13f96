// SPDX-License-Identifier: BSD-3-Clause
// kill_workers and terminate_workers.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ranges>
#include <thread>

#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/processes.hpp"

using namespace std::chrono_literals;
using testing::eventually;
using testing::logbook;

namespace {

constexpr auto same = [](int x) { return x; };

/// Writes its process down and never returns.
constexpr auto hang = [](int x) {
  logbook::write(static_cast<std::uint64_t>(::getpid()));
  for (;;) ::pause();
  return x;
};

using way = void (fmap::process_pool::*)();
constexpr way ways[] = {&fmap::process_pool::kill_workers, &fmap::process_pool::terminate_workers};

bool all_gone(const logbook& log) {
  const auto counts = log.counts();
  return std::none_of(counts.begin(), counts.end(),
                      [](const auto& c) { return testing::alive(static_cast<pid_t>(c.first)); });
}

}  // namespace

TEST_CASE("ending the workers fails what runs, cancels what does not, and takes nothing new") {
  for (const way end : ways) {
    const logbook log;
    fmap::process_pool pool{{.workers = 2, .environment = {log.variable()}}};
    auto one = pool.submit(hang, 1), two = pool.submit(hang, 2);
    REQUIRE(eventually([&] { return log.counts().size() == 2; }));
    std::vector<fmap::future<int>> more;
    for (int i = 0; i != 100; ++i) more.push_back(pool.submit(same, i));
    (pool.*end)();
    CHECK_THROWS_AS(one.get(30s), fmap::broken_pool);
    CHECK_THROWS_AS(two.get(30s), fmap::broken_pool);
    int cancelled = 0, broken = 0;
    for (auto& f : more) try {
        f.get(30s);
      } catch (const fmap::cancelled_error&) {
        ++cancelled;
      } catch (const fmap::broken_pool&) {
        ++broken;  // a task that was handed to a process counts as started
      }
    CHECK(cancelled + broken == 100);
    CHECK(cancelled > 0);
    CHECK_THROWS_AS(pool.submit(same, 1), fmap::error);
    CHECK(eventually([&] { return all_gone(log); }));
  }
}

TEST_CASE("ending the workers ends a map over them") {
  for (const way end : ways) {
    const logbook log;
    fmap::process_pool pool{{.workers = 2, .environment = {log.variable()}}};
    constexpr auto some_hang = [](int x) { return x < 10 ? x : hang(x); };
    fmap::future_map m{pool, some_hang, std::views::iota(0), 20};
    int values = 0, failures = 0;
    std::thread other{[&] {
      static_cast<void>(eventually([&] { return log.counts().size() == 2; }));
      (pool.*end)();
    }};
    try {
      for (auto& o : m.outcomes()) ++(o.has_value() ? values : failures);
    } catch (const fmap::broken_pool&) {
      ++failures;
    }
    other.join();
    CHECK(values <= 10);
    CHECK(failures > 0);
    CHECK(eventually([&] { return all_gone(log); }));
  }
}

TEST_CASE("the workers may be ended at any time, and more than once") {
  for (const way end : ways) {
    {
      fmap::process_pool pool{1};
      (pool.*end)();
      (pool.*end)();
      CHECK_THROWS_AS(pool.submit(same, 1), fmap::error);
    }
    {
      fmap::process_pool pool{1};
      CHECK(pool.submit(same, 1).get() == 1);
      pool.shutdown();
      (pool.*end)();
    }
    const auto before = testing::belongings{};
    {
      fmap::process_pool pool{3};
      CHECK(pool.submit(same, 1).get() == 1);
      (pool.*end)();
    }
    CHECK(eventually([&] { return testing::belongings{}.no_more_than(before); }));
  }
}

TEST_CASE("stopped workers can be ended, too") {
  const logbook log;
  fmap::process_pool pool{{.workers = 1, .environment = {log.variable()}}};
  auto f = pool.submit(hang, 1);
  REQUIRE(eventually([&] { return !log.counts().empty(); }));
  ::kill(static_cast<pid_t>(log.counts().begin()->first), SIGSTOP);
  pool.kill_workers();
  CHECK_THROWS_AS(f.get(30s), fmap::broken_pool);
  CHECK(eventually([&] { return all_gone(log); }));
}

TEST_CASE("terminate_workers lets a handler of the worker's act") {
  const logbook log;
  fmap::process_pool pool{{.workers = 1,
                           .initializer =
                               [] {
                                 logbook::write(1);  // opens the file
                                 std::signal(SIGTERM, [](int) {
                                   logbook::write(2);
                                   ::_exit(0);
                                 });
                               },
                           .environment = {log.variable()}}};
  auto f = pool.submit(hang, 1);
  REQUIRE(eventually([&] { return log.counts().size() == 2; }));
  pool.terminate_workers();
  CHECK_THROWS_AS(f.get(30s), fmap::broken_pool);
  CHECK(eventually([&] { return log.counts().contains(2); }));
}
