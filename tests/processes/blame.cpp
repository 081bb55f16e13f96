// SPDX-License-Identifier: BSD-3-Clause
// What kills a worker process is an item's doing as long as any of that item's code may run.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iterator>
#include <memory>
#include <ranges>
#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/processes.hpp"

using testing::logbook;

namespace {

constexpr int poison = 13, count = 60;

/// The tests' own process makes items and results, too.
bool in_worker() {
  static const bool result = std::getenv("FMAP_TEST_LOG") != nullptr;
  return result;
}

void die() {
  std::signal(SIGABRT, SIG_DFL);
  std::raise(SIGABRT);
}

/// Kills a worker process when it is destroyed (unless it was moved from), or when it is moved.
template <bool WhenMoved>
struct deadly {
  deadly() = default;
  explicit deadly(int x) : x{x} {}
  deadly(deadly&& other) noexcept : x{std::exchange(other.x, 0)} {
    if (WhenMoved) strike();
  }
  deadly& operator=(deadly&& other) noexcept {
    x = std::exchange(other.x, 0);
    return *this;
  }
  ~deadly() {
    if (!WhenMoved) strike();
  }
  void strike() const {
    if (x == poison && in_worker()) die();
  }
  int x = 0;
};
template <class Inspector, bool WhenMoved>
auto inspect(Inspector& f, deadly<WhenMoved>& d) {
  return f(d.x);
}

struct bomb : std::exception {
  explicit bomb(bool by_what) : by_what{by_what} {}
  bomb(const bomb&) = default;
  ~bomb() override {
    if (!by_what) die();
  }
  const char* what() const noexcept override {
    if (by_what) die();
    return "a bomb";
  }
  bool by_what;
};

/// Refused by its reader, with an exception that kills whoever asks what it says.
struct unreadable {
  int x = 0;
};
template <class Inspector>
auto inspect(Inspector& f, unreadable& u) {
  const auto result = f(u.x);
  if (Inspector::is_loading && u.x == poison) throw bomb{true};
  return result;
}

template <class Item>
auto items() {
  return std::views::iota(0, count) | std::views::transform([](int x) { return Item{x}; });
}

/// A map in a pool without a restart budget: one item is lost after three executions, the others are not.
template <class Fn, class Range>
void check_blame(Fn fn, Range range, fmap::process_pool_options options = {.workers = 2}) {
  const logbook log;
  options.restarts = 0;
  options.environment = {log.variable()};
  fmap::process_pool pool{options};
  fmap::future_map m{pool, fn, range, 16};
  std::set<std::uint64_t> values, lost;
  for (auto& o : m.outcomes()) {
    (o.has_value() ? values : lost).insert(o.index());
    if (!o.has_value()) CHECK_THROWS_AS(o.value(), fmap::worker_lost);
    if (!o.has_value()) CHECK(o.attempts() == 3);
  }
  CHECK(lost == std::set<std::uint64_t>{poison});
  CHECK(values.size() == count - 1);
}

}  // namespace

TEST_CASE("a crash in an item's destructor is the item's") {
  using item = deadly<false>;
  check_blame([](item i) { return i.x; }, items<item>());
  check_blame([](item&& i) { return i.x; }, items<item>());
  check_blame([](const item& i) { return i.x; }, items<item>());
}

TEST_CASE("a crash while an item is moved is the item's") {
  using item = deadly<true>;
  check_blame([](const item& i) { return i.x; }, items<item>());
}

TEST_CASE("a crash in a result's destructor is the item's") {
  check_blame([](int x) { return deadly<false>{x}; }, std::views::iota(0, count));
  check_blame([](int x) { return deadly<false>{x}; }, std::views::iota(0, count),
              {.workers = 1, .threads_per_worker = 3});
}

TEST_CASE("a crash in an exception's what() or destructor is the item's") {
  constexpr auto by_what = [](int x) { return x != poison ? x : throw bomb{true}; };
  constexpr auto by_end = [](int x) { return x != poison ? x : throw bomb{false}; };
  check_blame(by_what, std::views::iota(0, count));
  check_blame(by_end, std::views::iota(0, count));
  check_blame([](unreadable u) { return u.x; }, items<unreadable>());
}

TEST_CASE("an item that is at fault after it has finished is not begun without end") {
  const logbook log;
  fmap::process_pool pool{{.workers = 2, .restarts = 0, .environment = {log.variable()}}};
  // Its outcome finds no way out any more: the descriptors belong to somebody else.
  constexpr auto fn = [](int x) {
    logbook::write(static_cast<std::uint64_t>(x));
    if (x % 20 == poison)
      for (int fd = 3; fd != 64; ++fd) ::close(fd);
    return x;
  };
  for (const std::uint32_t most : {3U, 2U, 1U}) {
    const auto before = log.counts();
    fmap::future_map m{pool, fn, std::views::iota(0, 60), {.buffersize = 16, .max_attempts = most}};
    std::set<std::uint64_t> values, lost;
    for (auto& o : m.outcomes()) (o.has_value() ? values : lost).insert(o.index());
    for (const std::uint64_t x : {13U, 33U, 53U}) CHECK(lost.contains(x));
    if (most != 1) CHECK(lost.size() == 3);
    CHECK(values.size() + lost.size() == 60);
    for (const auto& [x, n] : log.counts()) {
      const auto seen = before.find(x);
      CHECK(n - (seen != before.end() ? seen->second : 0) <= static_cast<int>(most));
    }
  }
}

TEST_CASE("thirty items that close all descriptors, or put something else there, end one by one") {
  constexpr auto closes = [](int) {
    for (int fd = 3; fd != 64; ++fd) ::close(fd);
    return 1;
  };
  constexpr auto replaces = [](int) {
    for (int fd = 3; fd != 64; ++fd) ::close(fd);
    for (int i = 0; i != 8; ++i) {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 0;
    }
    return 1;
  };
  constexpr auto shuts = [](int) {
    for (int fd = 3; fd != 64; ++fd) ::shutdown(fd, SHUT_RDWR);
    return 1;
  };
  constexpr auto leaves = [](int x) -> int {
    if (x >= 0) ::_exit(0);
    return 0;
  };
  const auto all_lost = [](auto fn, int n) {
    fmap::process_pool pool{{.workers = 2, .restarts = 0}};
    fmap::future_map m{pool, fn, std::views::iota(0, n), {.buffersize = 8, .max_attempts = 2}};
    int lost = 0;
    for (auto& o : m.outcomes()) {
      CHECK_FALSE(o.has_value());
      if (!o.has_value()) CHECK_THROWS_AS(o.value(), fmap::worker_lost);
      ++lost;
    }
    CHECK(lost == n);
    CHECK(pool.submit([] { return 7; }).get() == 7);
  };
  all_lost(closes, 30);
  all_lost(replaces, 8);
  all_lost(shuts, 8);
  all_lost(leaves, 8);
}

TEST_CASE("the child of an item that forked and forgot to exit is nobody's worker") {
  fmap::process_pool pool{{.workers = 2, .restarts = 0}};
  fmap::future_map m{pool,
                     [](int x) { return ::fork() == 0 ? -1 : x; },
                     std::views::iota(0, 20),
                     {.buffersize = 4, .chunksize = 1}};
  int n = 0;
  for (auto& o : m.outcomes()) {
    REQUIRE(o.has_value());
    CHECK(o.value() == static_cast<int>(o.index()));
    ++n;
  }
  CHECK(n == 20);
}

namespace {

/// The parent waits for its child: where that stays, the item runs out of its time.
template <class F>
int in_child(int x, F f) {
  const pid_t child = ::fork();
  if (child == 0) return f();
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0 ? x : -2;
}

}  // namespace

TEST_CASE("the child of an item that forked ends with it, whatever others held locked") {
  const auto each_ends = [](auto fn) {
    fmap::process_pool pool{{.workers = 3, .restarts = 0}};
    fmap::map_options options{.buffersize = 24, .chunksize = 4, .max_attempts = 1};
    options.item_timeout = std::chrono::seconds{60};
    fmap::future_map m{pool, fn, std::views::iota(0, 1500), options};
    int good = 0;
    for (auto& o : m.outcomes()) good += o.has_value() && o.value() == static_cast<int>(o.index());
    CHECK(good == 1500);
  };
  each_ends([](int x) { return in_child(x, [] { return -1; }); });
  each_ends([](int x) { return in_child(x, []() -> int { throw 1; }); });
}

TEST_CASE("the child of an item that forked runs nothing of what follows in its batch") {
  const logbook log;
  fmap::process_pool pool{{.workers = 1, .environment = {log.variable()}}};
  fmap::future_map m{pool,
                     [](int x) {
                       logbook::write(static_cast<std::uint64_t>(x));
                       if (x == 8) {
                         const pid_t child = ::fork();
                         if (child != 0) ::waitpid(child, nullptr, 0);
                       }
                       return x;
                     },
                     std::views::iota(0, 64),
                     {.buffersize = 64, .chunksize = 32}};
  for (auto& o : m.outcomes()) REQUIRE(o.has_value());
  CHECK(log.counts().size() == 64);
  for (const auto& [x, n] : log.counts()) CHECK(n == 1);
}

TEST_CASE("what an item writes to the descriptor of the connection ends its process, not the map") {
  static constexpr std::string_view texts[] = {"hello, world, this is a line\n", "hi\n", "\n",
                                               std::string_view{"\0\0\0\0", 4}, "seven!\n"};
  for (int index = 0; index != std::ssize(texts); ++index) {
    INFO("text " << index);
    fmap::process_pool pool{{.workers = 2, .restarts = 0}};
    constexpr auto fn = [](int x) {
      if (x % 100 == poison)
        for (int fd = 3; fd != 64; ++fd) {
          struct stat about {};
          if (::fstat(fd, &about) != 0 || !S_ISSOCK(about.st_mode)) continue;
          const std::string_view t = texts[x / 100];
          if (::write(fd, t.data(), t.size()) > 0) break;
        }
      return x;
    };
    fmap::future_map m{pool,
                       fn,
                       std::views::iota(100 * index, 100 * index + count),
                       {.buffersize = 8, .max_attempts = 2}};
    std::set<std::uint64_t> values, lost;
    for (auto& o : m.outcomes()) (o.has_value() ? values : lost).insert(o.index());
    CHECK(lost == std::set<std::uint64_t>{poison});
    CHECK(values.size() == count - 1);
  }
}

namespace {

/// The first two items meet in two processes; the third one never ends well.
template <bool Dies>
struct last_one {
  int operator()(int x) const {
    using namespace std::chrono_literals;
    logbook::write(static_cast<std::uint64_t>(x));
    const char* const log = std::getenv("FMAP_TEST_LOG");
    while (x < 2 && std::filesystem::file_size(log) < 2 * sizeof(std::uint64_t))
      std::this_thread::sleep_for(1ms);
    if (x < 2) return x;
    std::this_thread::sleep_for(Dies ? 300ms : 1h);
    std::raise(SIGKILL);
    return x;
  }
};

/// The pool is being shut down and the map has been left while that one is at work.
template <bool Dies>
void check_end() {
  const logbook log;
  auto pool = std::make_unique<fmap::process_pool>(
      fmap::process_pool_options{.workers = 2, .restarts = 0, .environment = {log.variable()}});
  {
    fmap::map_options options{.buffersize = 3, .chunksize = 1};
    if (!Dies) options.item_timeout = std::chrono::seconds{3};  // two processes start within it
    fmap::future_map m{*pool, last_one<Dies>{}, std::views::iota(0, 3), options};
    auto it = m.begin();
    CHECK(*it < 2);
    CHECK(*++it < 2);
    REQUIRE(testing::eventually([&] { return log.counts().size() == 3; }));
    pool->shutdown({.wait = false});
  }
  pool.reset();
  SUCCEED();
}

}  // namespace

TEST_CASE("a closing pool ends when the process that holds its last item dies") {
  check_end<true>();
  check_end<false>();
}
