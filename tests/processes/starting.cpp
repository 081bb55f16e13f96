// SPDX-License-Identifier: BSD-3-Clause
// Worker processes that cannot be started, for a while or at all.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/processes.hpp"
#include "support/program.hpp"
#include "support/watched_memory.hpp"

using namespace std::chrono_literals;
using testing::eventually;
using testing::logbook;
using testing::program;

namespace {

constexpr auto own_pid = [] { return ::getpid(); };
constexpr auto same = [](int x) { return x; };

/// While it lives this process can open no descriptor.
class no_descriptors {
public:
  no_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 256;
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = 0; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) held_.push_back(fd);
  }
  ~no_descriptors() {
    for (const int fd : held_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  no_descriptors(const no_descriptors&) = delete;
  no_descriptors& operator=(const no_descriptors&) = delete;

private:
  rlimit before_{};
  std::vector<int> held_;
};

std::string cause_of(const fmap::broken_pool& e) {
  try {
    std::rethrow_exception(e.cause());
  } catch (const std::exception& x) {
    return x.what();
  }
}

template <class Future>
std::string cause_that_broke(Future f) {
  try {
    f.get(60s);
  } catch (const fmap::broken_pool& e) {
    return cause_of(e);
  } catch (const fmap::timeout_error&) {
    return "hangs";
  }
  return "works";
}

}  // namespace

TEST_CASE("a process that cannot be started is tried again (alone)") {
  fmap::process_pool pool{{.workers = 2, .restarts = 1000}};
  fmap::future<int> f;
  {
    const no_descriptors none;
    f = pool.submit(own_pid);
    std::this_thread::sleep_for(200ms);  // some tries
    CHECK_FALSE(f.done());
  }
  CHECK(f.get(60s) > 0);
}

TEST_CASE("when no process at all can be started the pool is broken, with the cause (alone)") {
  fmap::process_pool pool{{.workers = 2, .restarts = 3}};
  std::string cause;
  {
    const no_descriptors none;
    cause = cause_that_broke(pool.submit(own_pid));
  }
  CHECK_THAT(cause, Catch::Matchers::Contains("Too many open files"));
  CHECK_THROWS_AS(pool.submit(own_pid), fmap::broken_pool);
}

TEST_CASE("a process that works goes on while none can be started beside it (alone)") {
  fmap::process_pool pool{{.workers = 2, .restarts = 0}};
  CHECK(pool.submit(own_pid).get() > 0);
  int n = 0;
  {
    const no_descriptors none;
    // Two at a time would take a second process.
    constexpr auto slow = [](int x) {
      std::this_thread::sleep_for(5ms);
      return x;
    };
    for (int v : fmap::future_map(pool, slow, std::views::iota(0, 100), 8)) n += v >= 0;
  }
  CHECK(n == 100);
  CHECK(pool.submit(own_pid).get() > 0);
}

TEST_CASE(
    "the last process dies at an item while none can be started: it is replaced later (alone)") {
  fmap::process_pool pool{{.workers = 1, .restarts = 1000}};
  const pid_t first = pool.submit(own_pid).get();
  fmap::future<int> f;
  {
    const no_descriptors none;
    ::kill(first, SIGKILL);
    f = pool.submit(same, 5);
    std::this_thread::sleep_for(100ms);
  }
  CHECK(f.get(60s) == 5);
}

TEST_CASE("a pool ends while its processes cannot be started (alone)") {
  fmap::future<int> f;
  const no_descriptors none;
  {
    fmap::process_pool pool{{.workers = 2, .restarts = 5}};
    f = pool.submit(same, 5);
  }
  CHECK_THROWS_AS(f.get(), fmap::broken_pool);
}

TEST_CASE("a parent with a file-size limit", "[.program]") {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_FSIZE, &none);
  fmap::process_pool pool{{.workers = 1, .restarts = 1}};
  std::puts(cause_that_broke(pool.submit(same, 1)).c_str());
}

TEST_CASE("a file-size limit is an error with its name, not the end of the program") {
  const logbook log;
  program parent{"a parent with a file-size limit", log};
  const std::string output = parent.output();
  CHECK(parent.wait() == 0);
  CHECK_THAT(output, Catch::Matchers::Contains("file-size limit"));
}

#if !FMAP_MEMORY_IS_WATCHED
TEST_CASE("an address-space limit in which nothing can start is named") {
  const std::size_t limit = GENERATE(std::size_t{1000}, std::size_t{1} << 20);
  fmap::process_pool pool{{.workers = 2, .restarts = 2, .address_space_limit = limit}};
  CHECK_THAT(cause_that_broke(pool.submit(same, 1)),
             Catch::Matchers::Contains("address-space limit of " + std::to_string(limit)));
}
#endif

TEST_CASE("a niceness that there is not is refused") {
  for (const int n : {-21, 20, 100, -100'000})
    CHECK_THROWS_AS((fmap::process_pool{{.workers = 1, .nice = n}}), std::invalid_argument);
  for (const int n : {0, 19}) CHECK((fmap::process_pool{{.workers = 1, .nice = n}}.workers()) == 1);
}

TEST_CASE("processes that die at one moment count once against the budget") {
  fmap::process_pool pool{{.workers = 8, .restarts = 1, .restart_window = 1h}};
  constexpr auto slow = [](int) {
    std::this_thread::sleep_for(20ms);
    return static_cast<int>(::getpid());
  };
  for (int v : fmap::future_map(pool, slow, std::views::iota(0, 64), 32)) CHECK(v > 0);
  for (const pid_t child : testing::children()) ::kill(child, SIGKILL);
  for (int v : fmap::future_map(pool, slow, std::views::iota(0, 64), 32)) CHECK(v > 0);
}
