// SPDX-License-Identifier: BSD-3-Clause
// A worker process of this machine: started, watched, ended.

#include "actors/node/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace fmap::actors {

namespace {

/// Where the two descriptors are in the worker process.
constexpr int socket_there = 3, recorder_there = 4;

void check(int error, const char* what) {
  if (error != 0) throw std::system_error{error, std::generic_category(), what};
}

struct file_actions {
  file_actions() { check(posix_spawn_file_actions_init(&it), "fmap: posix_spawn"); }
  ~file_actions() { posix_spawn_file_actions_destroy(&it); }
  posix_spawn_file_actions_t it;
};

struct attributes {
  attributes() {
    check(posix_spawnattr_init(&it), "fmap: posix_spawn");
    // Whatever this thread blocks or the program handles is not the worker's business. An interrupt
    // from the terminal is for the parent to act upon; the worker unblocks it when it ignores it.
    sigset_t interrupt;
    sigset_t defaults;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigfillset(&defaults);
    posix_spawnattr_setsigmask(&it, &interrupt);
    posix_spawnattr_setsigdefault(&it, &defaults);
    posix_spawnattr_setflags(&it, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~attributes() { posix_spawnattr_destroy(&it); }
  posix_spawnattr_t it;
};

/// A copy of a descriptor, out of the way of where it is to go.
struct copy {
  explicit copy(int of) : fd{::fcntl(of, F_DUPFD_CLOEXEC, recorder_there + 1)} {
    check(fd < 0 ? errno : 0, "fmap: no descriptor for a worker process");
  }
  ~copy() { ::close(fd); }
  copy(const copy&) = delete;
  copy& operator=(const copy&) = delete;
  const int fd;
};

/// This process' environment, with some of it replaced.
std::vector<char*> merged(const std::vector<std::string>& more) {
  const auto name = [](const char* entry) {
    return std::string_view{entry, std::strcspn(entry, "=")};
  };
  std::vector<char*> result;
  for (char** e = environ; *e != nullptr; ++e) {
    bool replaced = false;
    for (const auto& m : more) replaced = replaced || name(m.c_str()) == name(*e);
    if (!replaced) result.push_back(*e);
  }
  for (const auto& m : more) result.push_back(const_cast<char*>(m.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

child_process::child_process(int socket, int recorder,
                             const std::vector<std::string>& environment) {
  const file_actions actions;
  const attributes attributes;
  auto* a = const_cast<posix_spawn_file_actions_t*>(&actions.it);
  const copy s{socket}, r{recorder};
  check(posix_spawn_file_actions_adddup2(a, s.fd, socket_there), "fmap: posix_spawn");
  check(posix_spawn_file_actions_adddup2(a, r.fd, recorder_there), "fmap: posix_spawn");
  check(posix_spawn_file_actions_addclosefrom_np(a, recorder_there + 1), "fmap: posix_spawn");

  std::string program = "/proc/self/exe";
  std::string flag =
      worker_flag + std::to_string(socket_there) + "," + std::to_string(recorder_there);
  char* const arguments[] = {program.data(), flag.data(), nullptr};
  const auto variables = merged(environment);
  check(posix_spawn(&pid_, program.c_str(), a, &attributes.it, arguments, variables.data()),
        "fmap: a worker process could not be started");
#ifdef SYS_pidfd_open
  end_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
#endif
}

child_process::~child_process() {
  if (!reaped_) {
    kill();
    reap();
  }
  if (end_fd_ >= 0) ::close(end_fd_);
}

void child_process::kill() noexcept {
  if (reaped_) return;
  killed_ = true;
#ifdef SYS_pidfd_send_signal
  // The program may have collected it behind our back, and its id may be another process' by now.
  if (end_fd_ >= 0) {
    ::syscall(SYS_pidfd_send_signal, end_fd_, SIGKILL, nullptr, 0);
    return;
  }
#endif
  ::kill(pid_, SIGKILL);
}

void child_process::kill_if_alive() noexcept {
  pollfd end{end_fd_, POLLIN, 0};
  if (reaped_ || (end_fd_ >= 0 && ::poll(&end, 1, 50) > 0)) return;
  kill();
}

worker_death child_process::reap() {
  worker_death death;
  death.pid = pid_;
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  death.host = host;
  int status = 0;
  pid_t who = 0;
  while ((who = ::waitpid(pid_, &status, 0)) < 0 && errno == EINTR) {}
  reaped_ = true;
  if (who < 0) {
    death.exit_code = -1;  // the program reaps all its children itself
  } else if (WIFSIGNALED(status)) {
    death.signal = WTERMSIG(status);
    if (death.signal == SIGKILL && !killed_)
      death.reason = "from outside: perhaps by the kernel, out of memory";
  } else {
    death.exit_code = WEXITSTATUS(status);
  }
  return death;
}

}  // namespace fmap::actors
