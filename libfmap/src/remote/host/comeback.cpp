// SPDX-License-Identifier: BSD-3-Clause
// A node that has lost its pool begins anew: the same process, the same program, nothing else.

#include "src/remote/host/comeback.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "src/remote/environment.hpp"
#include "src/remote/host/exit_codes.hpp"
#include "src/remote/program.hpp"

namespace fmap::remote {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds first_pause{100}, longest_pause{30'000};
constexpr std::uint32_t tries_of_longest_pause = 10;
constexpr char variable[] = "FMAP_HERITAGE";

heritage mine;
char** arguments = nullptr;
const std::atomic<int>* asked_to_leave = nullptr;
std::atomic_flag goes = ATOMIC_FLAG_INIT;

heritage born() {
  std::random_device random;
  const auto number = [&] { return std::uint64_t{random()} << 32 | random(); };
  const auto now = heritage::clock::now();
  return {{number(), number()}, now, now, 0};
}

/// Processes of the life before. Their pool has ended, and soon they would find that out.
void end_children() {
  const std::string self = std::to_string(::getpid());
  std::ifstream list{"/proc/self/task/" + self + "/children"};
  for (pid_t child = 0; list >> child;) ::kill(child, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {}
}

}  // namespace

std::string to_text(const heritage& h) {
  std::ostringstream out;
  out << h.incarnation[0] << ' ' << h.incarnation[1] << ' ' << h.begun.time_since_epoch().count()
      << ' ' << h.alone.time_since_epoch().count() << ' ' << h.tries;
  return out.str();
}

heritage parse_heritage(const std::string& text) {
  std::istringstream in{text};
  heritage result;
  nanoseconds::rep begun = 0, alone = 0;
  if (!(in >> result.incarnation[0] >> result.incarnation[1] >> begun >> alone >> result.tries))
    return born();
  result.begun = heritage::clock::time_point{nanoseconds{begun}};
  result.alone = heritage::clock::time_point{nanoseconds{alone}};
  return result;
}

milliseconds pause_before(std::uint32_t tries, double random) {
  const milliseconds whole =
      std::min(longest_pause, first_pause * (1 << std::min<std::uint32_t>(tries, 10)));
  return milliseconds{static_cast<milliseconds::rep>(static_cast<double>(whole.count()) * random)};
}

heritage& inherit(char** argv, const std::atomic<int>& leaves) {
  arguments = argv;
  asked_to_leave = &leaves;
  const char* const left = std::getenv(variable);
  mine = left != nullptr ? parse_heritage(left) : born();
  if (left != nullptr) end_children();
  return mine;
}

// Signals that come from now on wait until the next life can take them; one that has come is not forgotten.
void begin_anew() {
  if (goes.test_and_set())
    for (;;) ::pause();
  std::vector<std::string> environment =
      environment_with({std::string{variable} + "=" + to_text(mine)});
  std::vector<char*> pointers;
  pointers.reserve(environment.size() + 1);
  for (std::string& s : environment) pointers.push_back(s.data());
  pointers.push_back(nullptr);
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  if (*asked_to_leave != 0) ::_exit(exit_left);
  ::execve(this_program().path.c_str(), arguments, pointers.data());
  std::fprintf(stderr, "fmap: this program cannot be executed again: %s\n", std::strerror(errno));
  ::_exit(exit_broken);
}

void come_again() {
  mine.alone = heritage::clock::now();
  mine.tries = 1;
  begin_anew();
}

void come_later() {
  mine.alone = heritage::clock::now();
  mine.tries = tries_of_longest_pause;
  begin_anew();
}

}  // namespace fmap::remote
