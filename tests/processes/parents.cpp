// SPDX-License-Identifier: BSD-3-Clause
// Programs of their own as parents: what happens to worker processes when the parent is killed,
// interrupted, or has not called fmap::init.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/processes.hpp"
#include "support/program.hpp"

using testing::eventually;
using testing::logbook;
using testing::program;

namespace {

/// What a worker does when its parent dies.
constexpr auto hang = [](int how) {
  logbook::write(static_cast<std::uint64_t>(::getpid()));
  switch (how) {
    case 0:
      for (volatile int spin = 0;;) spin = spin + 1;
    case 1:
      for (;;) ::sleep(1000);
    case 2: {
      int ends[2];
      char byte = 0;
      if (::pipe(ends) == 0 && ::read(ends[0], &byte, 1) < 0) return 1;
      break;
    }
    case 3: ::raise(SIGSTOP); break;
    default: break;
  }
  return how;
};

bool all_gone(const logbook& log) {
  const auto counts = log.counts();
  return std::none_of(counts.begin(), counts.end(),
                      [](const auto& c) { return testing::alive(static_cast<pid_t>(c.first)); });
}

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

TEST_CASE("a parent whose workers hang", "[.program]") {
  fmap::process_pool pool{4};
  for ([[maybe_unused]] int v : fmap::future_map{pool, hang, std::views::iota(0, 4), 4}) {}
}

TEST_CASE("a parent that handles signals", "[.program]") {
  for (const int s : {SIGINT, SIGTERM, SIGHUP}) std::signal(s, [](int) { interrupted = 1; });
  fmap::process_pool pool{{.workers = 2, .restarts = 0}};
  constexpr auto fn = [](int x) {
    static const bool told = (logbook::write(static_cast<std::uint64_t>(::getpid())), true);
    return told ? x : 0;
  };
  int after = 0;
  for (int v : fmap::future_map{pool, fn, std::views::iota(0), 100}) {
    after += interrupted ? 1 : 0;
    if (after == 1000 + 0 * v) break;
  }
  std::puts("went on until it decided");
}

TEST_CASE("workers that print", "[.program]") {
  fmap::process_pool pool{2};
  constexpr auto print = [](int x) {
    std::printf("line %d of standard output\n", x);
    std::fprintf(stderr, "line %d of standard error\n", x);
    if (x == 50) std::raise(SIGKILL);
    return x;
  };
  fmap::future_map m{pool, print, std::views::iota(0, 100), {.max_attempts = 1}};
  for ([[maybe_unused]] auto& o : m.outcomes()) {}
}

TEST_CASE("a parent whose items take a while", "[.program]") {
  fmap::process_pool pool{{.workers = 2, .restarts = 0}};
  constexpr auto fn = [](int x) {
    logbook::write(static_cast<std::uint64_t>(x));
    for (int i = 0; i != 40; ++i) ::usleep(10'000);
    return x;
  };
  fmap::future_map m{pool,
                     fn,
                     std::views::iota(0, 4),
                     {.buffersize = 2, .item_timeout = std::chrono::seconds{2}, .max_attempts = 1}};
  for (auto& o : m.outcomes()) CHECK(o.has_value());
}

TEST_CASE("time during which the whole program was stopped is not the items'") {
  const logbook log;
  program parent{"a parent whose items take a while", log};
  REQUIRE(eventually([&] { return !log.counts().empty(); }));
  ::kill(-parent.pid(), SIGSTOP);
  std::this_thread::sleep_for(std::chrono::milliseconds{2500});  // longer than an item may run
  ::kill(-parent.pid(), SIGCONT);
  CHECK(parent.wait() == 0);
  CHECK(log.counts().size() == 4);
}

TEST_CASE("workers end within a second of a parent that is killed, whatever they do") {
  const logbook log;
  program parent{"a parent whose workers hang", log};
  REQUIRE(eventually([&] { return log.counts().size() == 4; }));
  ::kill(parent.pid(), SIGKILL);
  const auto begun = std::chrono::steady_clock::now();
  CHECK(eventually([&] { return all_gone(log); }));
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{1});
}

TEST_CASE("an interrupt from the terminal ends a parent that does not handle it, and its workers") {
  const logbook log;
  program parent{"a parent whose workers hang", log};
  REQUIRE(eventually([&] { return log.counts().size() == 4; }));
  // Catch2 would report the signal; the default action is what counts here.
  ::kill(-parent.pid(), SIGINT);
  parent.wait();
  CHECK(eventually([&] { return all_gone(log); }));
}

TEST_CASE("what is sent to the whole process group is for the parent to act upon") {
  const int sent = GENERATE(SIGINT, SIGTERM, SIGHUP);
  const logbook log;
  program parent{"a parent that handles signals", log};
  REQUIRE(eventually([&] { return log.counts().size() == 2; }));
  ::kill(-parent.pid(), sent);
  const std::string output = parent.output();
  CHECK(WIFEXITED(parent.wait()));
  CHECK(WEXITSTATUS(parent.wait()) == 0);
  CHECK(output.find("went on until it decided") != std::string::npos);
  CHECK(all_gone(log));
}

TEST_CASE("what workers print arrives, line by line, also when they crash") {
  const logbook log;
  program parent{"workers that print", log};
  const std::string output = parent.output();
  for (int i = 0; i != 100; ++i) {
    CHECK(output.find("line " + std::to_string(i) + " of standard output\n") != std::string::npos);
    CHECK(output.find("line " + std::to_string(i) + " of standard error\n") != std::string::npos);
  }
}
