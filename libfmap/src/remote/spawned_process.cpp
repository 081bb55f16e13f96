// SPDX-License-Identifier: BSD-3-Clause
// A process of this machine that was started by this one.

#include "src/remote/spawned_process.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/core/host_name.hpp"

namespace fmap::remote {

namespace {

void check(int error, const char* what = "fmap: posix_spawn") {
  if (error != 0) throw std::system_error{error, std::generic_category(), what};
}

/// A copy of a descriptor, out of the way of where others are to go.
struct copy {
  copy(int of, int above) : fd{::fcntl(of, F_DUPFD_CLOEXEC, above)} {
    check(fd < 0 ? errno : 0, "fmap: no descriptor for a worker process");
  }
  ~copy() { ::close(fd); }
  copy(const copy&) = delete;
  copy& operator=(const copy&) = delete;
  const int fd;
};

/// What becomes of the descriptors.
class file_actions {
public:
  file_actions(const launch& what, const detail::standard_streams& streams) {
    check(posix_spawn_file_actions_init(&it));
    int end = 3;
    for (const auto& [here, there] : what.descriptors) end = std::max(end, there + 1);
    for (const int fd : {0, 1, 2}) {
      const bool given = std::any_of(what.descriptors.begin(), what.descriptors.end(),
                                     [&](const auto& d) { return d.second == fd; });
      if (!given && (fd == 0 || streams.missing(fd)))
        check(posix_spawn_file_actions_addopen(&it, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY,
                                               0));
    }
    for (const auto& [here, there] : what.descriptors) {
      copies_.push_back(std::make_unique<copy>(here, end));
      check(posix_spawn_file_actions_adddup2(&it, copies_.back()->fd, there));
    }
    check(posix_spawn_file_actions_addclosefrom_np(&it, end));
  }
  ~file_actions() { posix_spawn_file_actions_destroy(&it); }
  file_actions(const file_actions&) = delete;
  file_actions& operator=(const file_actions&) = delete;

  posix_spawn_file_actions_t it;

private:
  std::vector<std::unique_ptr<copy>> copies_;
};

struct attributes {
  explicit attributes(const launch& what) {
    check(posix_spawnattr_init(&it));
    // Whatever this thread blocks is not the other's business. What the program handles has its default there,
    // what it ignores stays ignored.
    sigset_t blocked;
    sigemptyset(&blocked);
    for (const int s : what.blocked) sigaddset(&blocked, s);
    posix_spawnattr_setsigmask(&it, &blocked);
    posix_spawnattr_setpgroup(&it, 0);
    posix_spawnattr_setflags(
        &it,
        static_cast<short>(POSIX_SPAWN_SETSIGMASK | (what.own_group ? POSIX_SPAWN_SETPGROUP : 0)));
  }
  ~attributes() { posix_spawnattr_destroy(&it); }
  attributes(const attributes&) = delete;
  attributes& operator=(const attributes&) = delete;
  posix_spawnattr_t it;
};

/// As exec wants them.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

spawned_process::spawned_process(const launch& what, detail::standard_streams& streams)
    : own_group_{what.own_group} {
  const file_actions files{what, streams};
  const attributes attributes{what};
  check(posix_spawn(&pid_, what.path.c_str(), &files.it, &attributes.it,
                    pointers(what.arguments).data(), pointers(what.environment).data()),
        "fmap: a worker process could not be started");
#ifdef SYS_pidfd_open
  end_fd_ = streams.make([&] { return static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)); });
#endif
}

spawned_process::~spawned_process() {
  if (reaped_) return;
  kill();
  reap();
}

void spawned_process::signal(int number) noexcept {
  if (own_group_) {
    ::kill(-pid_, number);
    return;
  }
#ifdef SYS_pidfd_send_signal
  // The program may have collected it behind our back, and its id may be another process' by now.
  if (end_fd_ >= 0) {
    ::syscall(SYS_pidfd_send_signal, end_fd_, number, nullptr, 0);
    return;
  }
#endif
  ::kill(pid_, number);
}

void spawned_process::kill() noexcept {
  if (reaped_) return;
  killed_ = true;
  signal(SIGKILL);
}

void spawned_process::terminate() noexcept {
  if (!reaped_) signal(SIGTERM);
}

/// Whoever is left of its group is killed, while its id is still taken by it.
void spawned_process::end_group() noexcept {
  siginfo_t about{};
  int result = 0;
  while ((result = ::waitid(P_PID, static_cast<id_t>(pid_), &about, WEXITED | WNOWAIT)) < 0
         && errno == EINTR) {}
  if (result == 0) ::kill(-pid_, SIGKILL);
}

worker_death spawned_process::reap() {
  worker_death death;
  death.pid = pid_;
  death.host = detail::host_name();
  if (own_group_) end_group();
  int status = 0;
  pid_t who = 0;
  while ((who = ::waitpid(pid_, &status, 0)) < 0 && errno == EINTR) {}
  reaped_ = true;
  if (end_fd_ >= 0) ::close(std::exchange(end_fd_, -1));
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

}  // namespace fmap::remote
