// SPDX-License-Identifier: BSD-3-Clause
// The start of one process: vfork and exec.
#include "tool/launch/child.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fmap::tool {

namespace {

/// All that the child needs, made before there is one: it shares our memory and may call little.
struct plan {
  char* const* arguments;
  char* const* environment;
  const child_options& options;
  pid_t parent;
  volatile int error = 0;
};

/// As far as the kernel allows it, as nice(1) does.
void surround(const child_surroundings& s) {
  for (const auto& [resource, value] : s.limits)
    ::setrlimit(static_cast<__rlimit_resource>(resource), &value);
  if (s.nice) (void)!::nice(*s.nice);
}

[[noreturn]] void become(plan& p) {
  const child_options& o = p.options;
  const auto give_up = [&] {
    p.error = errno;
    ::_exit(127);
  };
  if (o.own_group) ::setpgid(0, 0);
  // Until then signals for our group, as of ^C, reached it, too. They are blocked; they are not its own.
  sigset_t ours;
  ::sigemptyset(&ours);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) ::sigaddset(&ours, signal);
  const timespec at_once{0, 0};
  while (::sigtimedwait(&ours, nullptr, &at_once) > 0) {}
  if (o.seat != nullptr) o.seat->store(::getpid());
  if (o.dies_with_us) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != p.parent) ::_exit(127);  // we died before
  }
  if (::dup2(o.in, STDIN_FILENO) < 0) give_up();
  if (o.out >= 0 && ::dup2(o.out, STDOUT_FILENO) < 0) give_up();
  if (o.err >= 0 && ::dup2(o.err, STDERR_FILENO) < 0) give_up();
  if (o.files != nullptr) ::setrlimit(RLIMIT_NOFILE, o.files);
  if (o.surroundings != nullptr) surround(*o.surroundings);
  if (o.folder != nullptr && ::chdir(o.folder) != 0) give_up();
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(SIGPIPE, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvpe(p.arguments[0], p.arguments, p.environment);
  give_up();
  ::_exit(127);
}

[[gnu::noinline]] pid_t fork_and_become(plan& p) {
  const pid_t process = ::vfork();
  if (process == 0) become(p);
  return process;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& s : strings) result.push_back(const_cast<char*>(s.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

started start(const child_options& o) {
  const std::vector<char*> arguments = pointers(*o.arguments);
  const std::vector<char*> environment = pointers(*o.environment);
  plan p{arguments.data(), environment.data(), o, ::getpid()};
  const pid_t process = fork_and_become(p);
  if (process < 0) return {-1, errno};
  if (p.error != 0) {
    while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {}
    if (o.seat != nullptr) o.seat->store(0);
    return {-1, p.error};
  }
  return {process, 0};
}

}  // namespace fmap::tool
