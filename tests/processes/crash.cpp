// SPDX-License-Identifier: BSD-3-Clause
// A worker process dies while it runs an item: that one is blamed, and nothing else is lost.
#include <csignal>
#include <cstdlib>
#include <map>
#include <ranges>
#include <set>
#include <thread>
#include <vector>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/processes.hpp"

using namespace std::chrono_literals;
using testing::eventually;
using testing::logbook;

namespace {

enum class fate { segv = 1, abort, exit3, kill, segv_inline };

__attribute__((noinline, no_sanitize_address, no_sanitize("undefined"))) void write_to_null(int x) {
  static int* volatile nowhere = nullptr;  // so that no compiler sees it coming
  *nowhere = x;
}

template <fate F, int Poison>
struct dies {
  int operator()(int x) const {
    if (x == Poison) {
      std::signal(SIGSEGV, SIG_DFL);  // a sanitizer would turn it into an exit
      switch (F) {
        case fate::segv: std::raise(SIGSEGV); break;
        case fate::abort: std::abort();
        case fate::exit3: std::_Exit(3);
        case fate::kill: std::raise(SIGKILL); break;
        case fate::segv_inline: write_to_null(x); break;
      }
    }
    return 2 * x;
  }
};

struct expected_death {
  int signal, exit_code;
};

/// What other threads of the dying process are at is tried again, too: what they execute, and the outcome that is being
/// encoded, which is the user's code as well.
template <class Fn>
void check_quarantine(Fn fn, int poison, expected_death death, fmap::process_pool_options options) {
  fmap::process_pool pool{options};
  fmap::future_map m{pool, fn, std::views::iota(0, 1000), 100};
  std::set<std::uint64_t> seen;
  int lost = 0;
  for (auto& o : m.outcomes()) {
    CHECK(seen.insert(o.index()).second);
    if (o.has_value()) {
      CHECK(o.value() == 2 * static_cast<int>(o.index()));
      continue;
    }
    ++lost;
    CHECK(o.index() == static_cast<std::uint64_t>(poison));
    CHECK(o.attempts() == 3);
    try {
      std::rethrow_exception(o.error());
    } catch (const fmap::worker_lost& e) {
      CHECK(e.index() == o.index());
      CHECK(e.attempts() == 3);
      CHECK(e.signal() == death.signal);
      CHECK(e.exit_code() == death.exit_code);
      CHECK(e.pid() > 0);
      CHECK_FALSE(e.host().empty());
    }
  }
  CHECK(lost == 1);
  CHECK(seen.size() == 1000);
  CHECK(m.stats().quarantined == 1);
  CHECK(m.stats().retried >= 2);
  CHECK(m.stats().retried <= 2 + options.threads_per_worker);
}

}  // namespace

TEST_CASE("every way to die blames one item") {
  const fmap::process_pool_options two{.workers = 2, .restarts = 0};
  check_quarantine(dies<fate::segv, 417>{}, 417, {SIGSEGV, 0}, two);
  check_quarantine(dies<fate::abort, 0>{}, 0, {SIGABRT, 0}, two);
  check_quarantine(dies<fate::exit3, 999>{}, 999, {0, 3}, two);
  check_quarantine(dies<fate::kill, 500>{}, 500, {SIGKILL, 0}, two);
  check_quarantine(dies<fate::segv_inline, 31>{}, 31, {SIGSEGV, 0}, two);
  check_quarantine(dies<fate::segv, 417>{}, 417, {SIGSEGV, 0}, {.workers = 1, .restarts = 0});
  check_quarantine(dies<fate::segv, 417>{}, 417, {SIGSEGV, 0},
                   {.workers = 2, .threads_per_worker = 3, .restarts = 0});
}

TEST_CASE("a poison item among 100,000 runs max_attempts times, the others once unless their "
          "result was lost") {
  constexpr int poison = 61'803, count = 100'000;
  const logbook log;
  fmap::process_pool pool{{.workers = 2, .environment = {log.variable()}}};
  constexpr auto fn = [](int x) {
    logbook::write(static_cast<std::uint64_t>(x));
    if (x == poison) std::raise(SIGSEGV);
    return x;
  };
  fmap::future_map m{pool, fn, std::views::iota(0, count), 1024};
  std::vector<char> seen(count);
  std::vector<std::uint64_t> failed;
  for (auto& o : m.outcomes()) {
    CHECK(++seen[o.index()] == 1);
    if (!o.has_value()) failed.push_back(o.index());
  }
  CHECK(std::count(seen.begin(), seen.end(), 1) == count);
  CHECK(failed == std::vector<std::uint64_t>{poison});
  std::size_t again = 0;
  for (const auto& [index, n] : log.counts()) {
    if (index == poison)
      CHECK(n == 3);
    else if (n > 1)
      ++again;
    CHECK(n <= 3);
  }
  CHECK(log.counts().size() == count);
  // Three processes died, each with at most a few batches whose results were still on their way.
  CHECK(again < 3 * 2048);
}

TEST_CASE("with one attempt nothing runs twice") {
  const logbook log;
  fmap::process_pool pool{{.workers = 2, .environment = {log.variable()}}};
  constexpr auto fn = [](int x) {
    logbook::write(static_cast<std::uint64_t>(x));
    if (x % 1000 == 500) std::raise(SIGKILL);
    return x;
  };
  fmap::future_map m{pool, fn, std::views::iota(0, 10'000), {.buffersize = 256, .max_attempts = 1}};
  std::set<std::uint64_t> values, lost;
  for (auto& o : m.outcomes()) (o.has_value() ? values : lost).insert(o.index());
  CHECK(values.size() + lost.size() == 10'000);
  for (std::uint64_t i = 500; i < 10'000; i += 1000) CHECK(lost.contains(i));
  const auto counts = log.counts();
  CHECK(counts.size() == 10'000);
  for (const auto& [index, n] : counts) CHECK(n == 1);
}

TEST_CASE("plain iteration throws worker_lost at its place") {
  fmap::process_pool pool{1};
  CHECK_THROWS_AS(
      [&] {
        for (int v : pool.map(dies<fate::segv, 3>{}, std::views::iota(0, 10))) CHECK(v < 6);
      }(),
      fmap::worker_lost);
  CHECK(pool.submit(dies<fate::segv, 3>{}, 2).get() == 4);
}

TEST_CASE("a task that crashes gets worker_lost, the next one runs") {
  fmap::process_pool pool{1};
  auto bad = pool.submit([] { std::raise(SIGSEGV); });
  auto good = pool.submit([] { return 7; });
  CHECK_THROWS_AS(bad.get(), fmap::worker_lost);
  CHECK_THROWS_WITH(bad.get(), Catch::Contains("the task was given up"));
  CHECK(good.get() == 7);
}

TEST_CASE("a worker killed from outside while it runs: its item runs again elsewhere") {
  const logbook log;
  fmap::process_pool pool{{.workers = 2, .restarts = 0, .environment = {log.variable()}}};
  auto slow = pool.submit([] {
    logbook::write(static_cast<std::uint64_t>(::getpid()));
    if (std::getenv("FMAP_TEST_LOG") == nullptr) return 0;
    // The first to come waits to be killed.
    static const bool first = [] {
      std::ifstream file{std::getenv("FMAP_TEST_LOG"), std::ios::ate | std::ios::binary};
      return file.tellg() == std::streamoff{sizeof(std::uint64_t)};
    }();
    if (first) ::pause();
    return 1;
  });
  REQUIRE(eventually([&] { return !log.counts().empty(); }));
  const auto pid = static_cast<pid_t>(log.counts().begin()->first);
  CHECK(::kill(pid, SIGKILL) == 0);
  CHECK(slow.get() == 1);
  CHECK(log.counts().size() == 2);
}

namespace {
/// Its decoding kills the process that reads it.
struct explosive {
  int x = 0;
};
template <class Inspector>
auto inspect(Inspector& f, explosive& e) {
  const auto result = f(e.x);
  if (Inspector::is_loading && e.x == 13) std::raise(SIGSEGV);
  return result;
}
/// Its encoding does.
struct touchy {
  int x = 0;
};
template <class Inspector>
auto inspect(Inspector& f, touchy& e) {
  if (!Inspector::is_loading && e.x == 13) std::raise(SIGSEGV);
  return f(e.x);
}
}  // namespace

TEST_CASE("a crash while an item is decoded, or its result encoded, is the item's") {
  fmap::process_pool pool{{.workers = 2, .restarts = 0}};
  auto items = std::views::iota(0, 100);
  {
    fmap::future_map m{pool, [](explosive e) { return e.x; },
                       items | std::views::transform([](int x) { return explosive{x}; })};
    int values = 0;
    for (auto& o : m.outcomes()) {
      values += o.has_value() ? 1 : 0;
      if (!o.has_value()) CHECK(o.index() == 13);
    }
    CHECK(values == 99);
  }
  fmap::future_map m{pool, [](int x) { return touchy{x}; }, items};
  int values = 0;
  for (auto& o : m.outcomes()) {
    values += o.has_value() ? 1 : 0;
    if (!o.has_value()) CHECK(o.index() == 13);
  }
  CHECK(values == 99);
}

namespace {
/// Refused when it is read, or written.
struct picky {
  int x = 0;
};
template <class Inspector>
bool inspect(Inspector& f, picky& e) {
  if (!Inspector::is_loading && e.x % 10 == 7) throw std::domain_error{"seven"};
  if (!Inspector::is_loading && e.x % 10 == 8) return f.refuse("eight");
  return f.object(e).fields(f.field("x", e.x).invariant([](int x) { return x % 10 != 3; }));
}
}  // namespace

TEST_CASE("items and results that cannot be written or read fail one by one") {
  fmap::process_pool pool{2};
  const auto failing = [](auto&& m) {
    std::set<int> digits;
    std::size_t n = 0;
    for (auto& o : m.outcomes()) {
      ++n;
      if (!o.has_value())
        digits.insert(static_cast<int>(o.index() % 10));
      else
        CHECK(o.index() % 10 != 3);
    }
    CHECK(n == 1000);
    return digits;
  };
  auto items = std::views::iota(0, 1000);
  auto picked = items | std::views::transform([](int x) { return picky{x}; });
  const std::set<int> all{3, 7, 8};
  CHECK(failing(fmap::future_map{pool, [](picky p) { return p.x; }, picked}) == all);
  CHECK(failing(fmap::future_map{pool, [](int x) { return picky{x}; }, items}) == all);
}
