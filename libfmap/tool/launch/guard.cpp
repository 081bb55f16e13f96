// SPDX-License-Identifier: BSD-3-Clause
// The guard.
#include "tool/launch/guard.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fmap::tool {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

/// Closes all descriptors but one.
void close_others(int kept) {
  const auto k = static_cast<unsigned>(kept);
  if (k > 0) ::syscall(SYS_close_range, 0u, k - 1, 0u);
  ::syscall(SYS_close_range, k + 1, ~0u, 0u);
}

[[noreturn]] void keep_watch(int end, std::span<guard::seat> seats) {
  ::setpgid(0, 0);  // what is sent to our group is not for the guard
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  close_others(end);
  char byte = 0;
  while (::read(end, &byte, 1) < 0 && errno == EINTR) {}
  for (guard::seat& seat : seats)
    if (const pid_t group = seat.load(); group > 0) ::kill(-group, SIGKILL);
  ::_exit(0);
}

}  // namespace

guard::guard(std::size_t slots) {
  const std::size_t size = slots * sizeof(seat);
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  seats_ = {static_cast<seat*>(memory), slots};  // zeroes are empty seats
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) fail("pipe");
  process_ = ::fork();
  if (process_ < 0) fail("fork");
  if (process_ == 0) keep_watch(ends[0], seats_);
  ::close(ends[0]);
  alive_ = ends[1];
}

guard::~guard() {
  ::close(alive_);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {}
  ::munmap(seats_.data(), seats_.size_bytes());
}

}  // namespace fmap::tool
