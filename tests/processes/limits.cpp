// SPDX-License-Identifier: BSD-3-Clause
// Deaths outside items, initializers, timeouts, recycling, limits.
#include <csignal>
#include <cstdlib>
#include <new>
#include <ranges>
#include <set>
#include <stdexcept>
#include <thread>

#include <sys/resource.h>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/processes.hpp"
#include "support/watched_memory.hpp"

using namespace std::chrono_literals;
using testing::eventually;
using testing::logbook;

namespace {

constexpr auto own_pid = [] { return ::getpid(); };

std::string what_of(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& x) {
    return x.what();
  }
}

/// Kills an idle worker and waits until the pool has noticed.
void kill_idle(fmap::process_pool& pool) {
  const pid_t pid = pool.submit(own_pid).get();
  REQUIRE(::kill(pid, SIGKILL) == 0);
  REQUIRE(eventually([&] { return testing::status_of(pid).state == 0; }));
}

}  // namespace

TEST_CASE("idle deaths within the budget are made good, with one more the pool is broken") {
  fmap::process_pool pool{{.workers = 1, .restarts = 2, .restart_window = 1h}};
  kill_idle(pool);
  kill_idle(pool);
  kill_idle(pool);
  CHECK(eventually([&] {
    try {
      pool.submit(own_pid).get();
      return false;
    } catch (const fmap::broken_pool& e) {
      CHECK_THAT(what_of(e.cause()), Catch::Matchers::Contains("SIGKILL"));
      return true;
    }
  }));
}

TEST_CASE("an initializer that crashes breaks the pool, however slowly") {
  fmap::process_pool pool{
      {.workers = 2, .initializer = [] { std::abort(); }, .restart_window = 0s}};
  fmap::future_map m{pool, [](int x) { return x; }, std::views::iota(0), 10};
  std::size_t n = 0;
  CHECK_THROWS_AS(
      [&] {
        for (auto& o : m.outcomes()) {
          ++n;
          CHECK_FALSE(o.has_value());
        }
      }(),
      fmap::broken_pool);
  CHECK(n <= 10);
  CHECK_THROWS_AS(pool.submit(own_pid), fmap::broken_pool);
}

TEST_CASE("an initializer that throws breaks the pool with its exception") {
  fmap::process_pool pool{
      {.workers = 2, .initializer = [] { throw std::out_of_range{"no such licence"}; }}};
  auto f = pool.submit(own_pid);
  try {
    f.get();
    FAIL("no exception");
  } catch (const fmap::broken_pool& e) {
    try {
      std::rethrow_exception(e.cause());
    } catch (const std::out_of_range& cause) {
      CHECK(std::string{cause.what()} == "no such licence");
      CHECK(dynamic_cast<const fmap::remote_origin*>(&cause) != nullptr);
    }
  }
}

TEST_CASE("an initializer runs once in each process, before its items") {
  const logbook log;
  fmap::process_pool pool{{.workers = 2,
                           .threads_per_worker = 2,
                           .initializer = [] { logbook::write(1); },
                           .environment = {log.variable()}}};
  std::set<int> pids;
  for (int p :
       pool.map([](int) { return static_cast<int>(::getpid()); }, std::views::iota(0, 1000)))
    pids.insert(p);
  CHECK(log.counts().at(1) == static_cast<int>(pids.size()));
}

TEST_CASE("a pool that breaks while an item runs forever does not wait for it") {
  fmap::process_pool pool{{.workers = 2, .restarts = 0}};
  const pid_t idle = pool.submit(own_pid).get();
  const logbook log;
  auto one = pool.submit(
      [](std::string path) {
        ::setenv("FMAP_TEST_LOG", path.c_str(), 1);
        logbook::write(static_cast<std::uint64_t>(::getpid()));
        for (;;) ::pause();
      },
      log.variable().substr(log.variable().find('=') + 1));
  REQUIRE(eventually([&] { return !log.counts().empty(); }));
  // Whichever process is not at it.
  pid_t victim = idle;
  if (log.counts().contains(static_cast<std::uint64_t>(idle))) victim = pool.submit(own_pid).get();
  REQUIRE(::kill(victim, SIGKILL) == 0);
  CHECK_THROWS_AS(one.get(20s), fmap::broken_pool);
}

TEST_CASE("item_timeout ends one item; the others do not notice") {
  fmap::process_pool pool{{.workers = 2, .restarts = 0}};
  constexpr auto fn = [](int x) {
    if (x % 100 == 42)
      for (;;) ::pause();
    return x;
  };
  fmap::future_map m{pool,
                     fn,
                     std::views::iota(0, 1000),
                     {.buffersize = 64, .item_timeout = 150ms, .max_attempts = 1}};
  std::size_t values = 0, late = 0, lost = 0;
  for (auto& o : m.outcomes()) {
    if (o.has_value()) {
      ++values;
      continue;
    }
    try {
      o.value();
    } catch (const fmap::item_timeout& e) {
      CHECK(e.index() % 100 == 42);
      ++late;
    } catch (const fmap::worker_lost&) {
      ++lost;  // had finished when its process was killed
    }
  }
  CHECK(late == 10);
  CHECK(values + late + lost == 1000);
  CHECK(m.stats().quarantined == 0);
}

TEST_CASE("a stopped worker is recovered by item_timeout") {
  fmap::process_pool pool{{.workers = 2, .restarts = 0}};
  constexpr auto fn = [](int x) {
    if (x == 5) ::raise(SIGSTOP);
    return x;
  };
  fmap::future_map m{pool, fn, std::views::iota(0, 100), {.buffersize = 16, .item_timeout = 200ms}};
  std::size_t values = 0, late = 0;
  for (auto& o : m.outcomes()) (o.has_value() ? values : late) += 1;
  CHECK(values == 99);
  CHECK(late == 1);
}

TEST_CASE(
    "without item_timeout the others go on beside a stopped worker, and stats tell of its item") {
  const logbook log;
  fmap::process_pool pool{{.workers = 2, .environment = {log.variable()}}};
  constexpr auto fn = [](int x) {
    if (x == 5) {
      logbook::write(static_cast<std::uint64_t>(::getpid()));
      ::raise(SIGSTOP);
    }
    // Of items that take their time a process holds few; what a stopped one holds stays with it.
    std::this_thread::sleep_for(1ms);
    return x;
  };
  fmap::future_map m{pool, fn, std::views::iota(0, 500), {.buffersize = 16, .chunksize = 1}};
  std::size_t n = 0;
  auto it = m.begin();
  for (; n < 400; ++it) ++n;
  CHECK(m.stats().running >= 1);
  CHECK(m.stats().pulled > 400);
  const auto pid = static_cast<pid_t>(log.counts().begin()->first);
  REQUIRE(::kill(pid, SIGCONT) == 0);
  for (; it != m.end(); ++it) ++n;
  CHECK(n == 500);
}

TEST_CASE("a stopped idle worker does not keep the pool from ending") {
  const auto before = testing::belongings{};
  {
    fmap::process_pool pool{1};
    REQUIRE(::kill(pool.submit(own_pid).get(), SIGSTOP) == 0);
  }
  CHECK(eventually([&] { return testing::belongings{}.no_more_than(before); }));
}

TEST_CASE("max_items_per_worker is exact, loses nothing and never has more processes at work") {
  const logbook log;
  fmap::process_pool pool{
      {.workers = 2, .max_items_per_worker = 7, .environment = {log.variable()}}};
  constexpr auto fn = [](int) {
    logbook::write(static_cast<std::uint64_t>(::getpid()));
    return static_cast<int>(::getpid());
  };
  fmap::future_map m{pool, fn, std::views::iota(0, 300), 64};
  std::map<int, int> items;
  std::size_t most = 0;
  for (int pid : m) {
    ++items[pid];
    most = std::max(most, testing::children().size());
  }
  for (const auto& [pid, n] : items) CHECK(n <= 7);
  CHECK(items.size() >= 300 / 7);
  CHECK(most <= 4 + 2);  // two at work, two that come, two that go
  for (const auto& [pid, n] : log.counts()) CHECK(n <= 7);
}

TEST_CASE("one slow item a process: no more of them at work than the pool has workers") {
  const logbook log;
  fmap::process_pool pool{
      {.workers = 2, .max_items_per_worker = 1, .environment = {log.variable()}}};
  constexpr auto fn = [](int x) {
    const auto begin = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(30ms);
    return std::pair{begin.time_since_epoch().count() + 0 * x,
                     std::chrono::steady_clock::now().time_since_epoch().count()};
  };
  std::vector<std::pair<std::int64_t, std::int64_t>> times;
  for (auto& t : fmap::future_map{pool, fn, std::views::iota(0, 12), 12}) times.push_back(t);
  CHECK(times.size() == 12);
  for (const auto& t : times) {
    const auto at_work = std::count_if(times.begin(), times.end(), [&](const auto& u) {
      return u.first <= t.first && t.first < u.second;
    });
    CHECK(at_work <= 2);
  }
}

TEST_CASE("environment and niceness are the children's") {
  ::setenv("FMAP_TEST_A", "parent", 1);
  fmap::process_pool pool{
      {.workers = 1, .environment = {"FMAP_TEST_A=child", "FMAP_TEST_B=x=y"}, .nice = 3}};
  const auto get = [](std::string name) { return std::string{std::getenv(name.c_str())}; };
  CHECK(pool.submit(get, std::string{"FMAP_TEST_A"}).get() == "child");
  CHECK(pool.submit(get, std::string{"FMAP_TEST_B"}).get() == "x=y");
  CHECK(std::string{std::getenv("FMAP_TEST_A")} == "parent");
  const auto niceness = [] { return ::getpriority(PRIO_PROCESS, 0); };
  CHECK(pool.submit(niceness).get() == niceness() + 3);
}

#if !FMAP_MEMORY_IS_WATCHED
TEST_CASE("the address-space limit: bad_alloc is the item's error, a crash by it is named") {
  constexpr std::size_t limit = std::size_t{256} << 20;
  fmap::process_pool pool{{.workers = 1, .restarts = 0, .address_space_limit = limit}};
  const auto grab = [](std::size_t n) { return std::string(n, 'x').size(); };
  CHECK_THROWS_AS(pool.submit(grab, std::size_t{2} << 30).get(), std::bad_alloc);
  CHECK(pool.submit(grab, std::size_t{1000}).get() == 1000);
  const auto crash = [](std::size_t n) noexcept { return std::string(n, 'x').size(); };
  try {
    pool.submit(crash, std::size_t{2} << 30).get();
    FAIL("no exception");
  } catch (const fmap::worker_lost& e) {
    CHECK_THAT(e.what(), Catch::Matchers::Contains("address-space limit"));
  }
  // An item that does not even fit in beside its frame, and a result that does not fit twice. No larger ones: fresh
  // memory is slow on some machines, and the item is sent three times.
  CHECK_THROWS_AS(
      pool.submit([](std::string s) { return s.size(); }, std::string(limit / 2, 'x')).get(),
      fmap::worker_lost);
  CHECK_THROWS(pool.submit([](std::size_t n) { return std::string(n, 'x'); }, limit / 5 * 2).get());
  CHECK(pool.submit(grab, std::size_t{1000}).get() == 1000);
}
#endif

TEST_CASE("threads_per_worker share their process") {
  fmap::process_pool pool{{.workers = 1, .threads_per_worker = 3}};
  // Each waits for the other two.
  constexpr auto meet = [](int) {
    static std::atomic<int> here{0};
    for (++here; here < 3;) std::this_thread::yield();
    return static_cast<int>(::getpid());
  };
  std::vector<fmap::future<int>> all;
  for (int i = 0; i != 3; ++i) all.push_back(pool.submit(meet, i));
  CHECK(all[0].get() == all[1].get());
  CHECK(all[1].get() == all[2].get());
}

TEST_CASE("options that make no sense are refused") {
  using options = fmap::process_pool_options;
  CHECK_THROWS_AS(fmap::process_pool{0}, std::invalid_argument);
  CHECK_THROWS_AS(fmap::process_pool{-1}, std::invalid_argument);
  CHECK_THROWS_AS(fmap::process_pool{options{.threads_per_worker = 0}}, std::invalid_argument);
  CHECK_THROWS_AS(fmap::process_pool{options{.max_items_per_worker = 0}}, std::invalid_argument);
  CHECK_THROWS_AS(fmap::process_pool{options{.restart_window = -1s}}, std::invalid_argument);
  CHECK_THROWS_AS(fmap::process_pool{options{.environment = {"NAME"}}}, std::invalid_argument);
  CHECK_THROWS_AS(fmap::process_pool{options{.environment = {"=x"}}}, std::invalid_argument);
}
