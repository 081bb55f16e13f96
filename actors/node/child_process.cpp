// SPDX-License-Identifier: BSD-3-Clause
// A worker process of this machine: started, watched, ended.

#include "actors/node/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/node/program.hpp"

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
    // Whatever this thread blocks is not the worker's business. What the program handles has its default there,
    // what it ignores stays ignored. Signals that are for the parent to act upon are blocked until the worker
    // handles them.
    sigset_t for_the_parent;
    sigemptyset(&for_the_parent);
    for (const int s : signals_for_the_parent) sigaddset(&for_the_parent, s);
    posix_spawnattr_setsigmask(&it, &for_the_parent);
    posix_spawnattr_setflags(&it, POSIX_SPAWN_SETSIGMASK);
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

}  // namespace

child_process::child_process(int socket, int recorder, const std::vector<std::string>& environment,
                             const standard_streams& streams) {
  const file_actions actions;
  const attributes attributes;
  auto* a = const_cast<posix_spawn_file_actions_t*>(&actions.it);
  const copy s{socket}, r{recorder};
  check(posix_spawn_file_actions_addopen(a, 0, "/dev/null", O_RDONLY, 0), "fmap: posix_spawn");
  for (const int fd : {1, 2})
    if (streams.missing(fd))
      check(posix_spawn_file_actions_addopen(a, fd, "/dev/null", O_WRONLY, 0), "fmap: posix_spawn");
  check(posix_spawn_file_actions_adddup2(a, s.fd, socket_there), "fmap: posix_spawn");
  check(posix_spawn_file_actions_adddup2(a, r.fd, recorder_there), "fmap: posix_spawn");
  check(posix_spawn_file_actions_addclosefrom_np(a, recorder_there + 1), "fmap: posix_spawn");

  std::string name = this_program().name;
  std::string flag =
      worker_flag + std::to_string(socket_there) + "," + std::to_string(recorder_there);
  char* const arguments[] = {name.data(), flag.data(), nullptr};
  std::vector<char*> variables;
  variables.reserve(environment.size() + 1);
  for (const auto& entry : environment) variables.push_back(const_cast<char*>(entry.c_str()));
  variables.push_back(nullptr);
  check(posix_spawn(&pid_, this_program().path.c_str(), a, &attributes.it, arguments,
                    variables.data()),
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

void child_process::signal(int number) noexcept {
#ifdef SYS_pidfd_send_signal
  // The program may have collected it behind our back, and its id may be another process' by now.
  if (end_fd_ >= 0) {
    ::syscall(SYS_pidfd_send_signal, end_fd_, number, nullptr, 0);
    return;
  }
#endif
  ::kill(pid_, number);
}

void child_process::kill() noexcept {
  if (reaped_) return;
  killed_ = true;
  signal(SIGKILL);
}

void child_process::terminate() noexcept {
  if (!reaped_) signal(SIGTERM);
}

void child_process::kill_if_alive(std::chrono::milliseconds moment) noexcept {
  pollfd end{end_fd_, POLLIN, 0};
  if (reaped_ || (end_fd_ >= 0 && ::poll(&end, 1, static_cast<int>(moment.count())) > 0)) return;
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
