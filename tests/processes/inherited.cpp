// SPDX-License-Identifier: BSD-3-Clause
// What worker processes have from their parent: streams, signals, environment, name; and what not.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <ranges>
#include <stop_token>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

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

std::string file_of(int fd) {
  std::array<char, 256> name{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  return ::readlink(link.c_str(), name.data(), name.size() - 1) < 0 ? "none" : name.data();
}

/// What a program that is started with the signals of this process does about them.
std::string signals_of_a_program() {
  std::FILE* out = ::popen("exec grep -E 'Sig(Blk|Ign)' /proc/self/status", "r");
  std::string result;
  for (int c = 0; (c = std::fgetc(out)) != EOF;) result.push_back(static_cast<char>(c));
  ::pclose(out);
  return result;
}

/// Sets the action of a signal while it lives.
class disposition {
public:
  disposition(int signal, void (*handler)(int)) : signal_{signal} {
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigaction(signal, &action, &before_);
  }
  ~disposition() { ::sigaction(signal_, &before_, nullptr); }
  disposition(const disposition&) = delete;
  disposition& operator=(const disposition&) = delete;

private:
  int signal_;
  struct sigaction before_ {};
};

bool ignored(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

}  // namespace

TEST_CASE("a parent with closed standard streams", "[.program]") {
  const int closed = std::atoi(std::getenv("FMAP_TEST_CLOSED"));
  logbook::write(1000);
  for (int fd = 0; fd != 3; ++fd)
    if ((closed >> fd & 1) != 0) ::close(fd);
  fmap::process_pool pool{{.workers = 2, .max_items_per_worker = 10}};
  constexpr auto loud = [](int x) {
    std::printf("item %d\n", x);
    std::fflush(stdout);
    std::fprintf(stderr, "item %d\n", x);
    return x;
  };
  for (int v : fmap::future_map(pool, loud, std::views::iota(0, 50), 8)) {
    logbook::write(static_cast<std::uint64_t>(v));
    std::printf("result %d\n", v);
    std::fflush(stdout);
  }
  const auto missing_there = pool.submit([] {
    int result = 0;
    for (int fd = 0; fd != 3; ++fd) result |= (file_of(fd) == "/dev/null") << fd;
    return result;
  });
  if (missing_there.get() == (closed | 1)) logbook::write(1001);
  pool.shutdown();
  int missing_here = 0;
  for (int fd = 0; fd != 3; ++fd) missing_here |= (::fcntl(fd, F_GETFD) < 0) << fd;
  if (missing_here == closed) logbook::write(1002);
}

TEST_CASE("closed standard streams stay closed here and are /dev/null in the workers") {
  const int closed = GENERATE(range(1, 8));
  CAPTURE(closed);
  ::setenv("FMAP_TEST_CLOSED", std::to_string(closed).c_str(), 1);
  const logbook log;
  program parent{"a parent with closed standard streams", log};
  CHECK(parent.wait() == 0);
  const auto counts = log.counts();
  CHECK(counts.size() == 53);
  CHECK(counts.contains(1001));
  CHECK(counts.contains(1002));
}

TEST_CASE("what an item starts reads nothing of its parent's standard input") {
  fmap::process_pool pool{1};
  const auto first_byte = [] { return std::system("read -r line"); };
  const int here = ::dup(0);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "line\n", 5) == 5);
  ::dup2(ends[0], 0);
  CHECK(pool.submit(first_byte).get() != 0);
  CHECK(pool.submit([] { return file_of(0); }).get() == "/dev/null");
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  char line[5];
  CHECK(::read(ends[0], line, 5) == 5);
  if (here >= 0) ::dup2(here, 0);
  for (const int fd : {here, ends[0], ends[1]}) ::close(fd);
}

TEST_CASE("workers have no descriptor of their parent's but standard output and error") {
  const int leaky = ::open("/dev/zero", O_RDONLY);  // without O_CLOEXEC
  fmap::process_pool pool{1};
  CHECK(pool.submit([](int fd) { return file_of(fd); }, leaky).get() != "/dev/zero");
  ::close(leaky);
}

TEST_CASE("what the program ignores is ignored in its workers, and by what they start") {
  const disposition hangup{SIGHUP, SIG_IGN}, pipe{SIGPIPE, SIG_IGN};
  const disposition terminate{SIGTERM, [](int) {}}, user{SIGUSR1, [](int) {}};
  fmap::process_pool pool{1};
  CHECK(pool.submit(fmap::fn<&ignored>, SIGHUP).get());
  CHECK(pool.submit(fmap::fn<&ignored>, SIGPIPE).get());
  for (const int s : {SIGINT, SIGTERM, SIGUSR1})
    CHECK_FALSE(pool.submit(fmap::fn<&ignored>, s).get());
}

TEST_CASE("a program that an item starts has the default actions of signals, and blocks none") {
  std::string there, here;
  {
    const disposition interrupt{SIGINT, SIG_DFL}, terminate{SIGTERM, SIG_DFL},
        hangup{SIGHUP, SIG_DFL};
    here = signals_of_a_program();
    fmap::process_pool pool{1};
    there = pool.submit(fmap::fn<&signals_of_a_program>).get();
  }
  CHECK(there == here);
}

TEST_CASE("blocked signals of the thread that makes the pool are none of its workers' business") {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  fmap::process_pool pool{1};
  const bool blocked = pool.submit([] {
                             sigset_t now;
                             ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
                             return sigismember(&now, SIGINT) == 1;
                           })
                           .get();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK_FALSE(blocked);
}

TEST_CASE("the environment is copied when the pool is made") {
  ::setenv("FMAP_TEST_WHEN", "before", 1);
  fmap::process_pool pool{{.workers = 1, .environment = {"FMAP_TEST_MORE=1"}}};
  ::setenv("FMAP_TEST_WHEN", "after", 1);
  const auto get = [](std::string name) {
    const char* value = std::getenv(name.c_str());
    return std::string{value != nullptr ? value : ""};
  };
  CHECK(pool.submit(get, std::string{"FMAP_TEST_WHEN"}).get() == "before");
  CHECK(pool.submit(get, std::string{"FMAP_TEST_MORE"}).get() == "1");
}

TEST_CASE("the environment may change while pools are made and processes are replaced") {
  ::setenv("FMAP_TEST_KEPT", "1", 1);
  std::jthread storm{[](const std::stop_token& over) {
    for (int i = 0; !over.stop_requested(); ++i) {
      const std::string name = "FMAP_TEST_STORM_" + std::to_string(i % 3000);
      if (i % 6000 < 3000)
        ::setenv(name.c_str(), std::string(static_cast<std::size_t>(i % 300), 'x').c_str(), 1);
      else
        ::unsetenv(name.c_str());
    }
  }};
  constexpr auto kept = [](int) { return std::getenv("FMAP_TEST_KEPT") != nullptr; };
  int n = 0;
  for (int i = 0; i != 5; ++i) {
    fmap::process_pool pool{
        {.workers = 2, .max_items_per_worker = 1, .environment = {"A=1", "B=2"}}};
    for (bool there : fmap::future_map(pool, kept, std::views::iota(0, 20), 8)) n += there;
  }
  storm.request_stop();
  storm.join();
  for (int i = 0; i != 3000; ++i) ::unsetenv(("FMAP_TEST_STORM_" + std::to_string(i)).c_str());
  CHECK(n == 100);
}

TEST_CASE("a worker has its program's name") {
  const auto name = [] {
    std::string result;
    std::getline(std::ifstream{"/proc/self/comm"}, result);
    return result;
  };
  const std::string here = program_invocation_short_name;
  CHECK(fmap::process_pool{1}.submit(name).get() == here.substr(0, 15));
}
