// SPDX-License-Identifier: BSD-3-Clause
// A hidden test case as a program of its own.
#pragma once

#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/processes.hpp"

namespace testing {

/// Another process of this executable that runs one hidden test case, as a group of its own.
class program {
public:
  program(const std::string& test, const logbook& log) {
    int out[2];
    if (::pipe2(out, O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      ::dup2(out[1], 1);
      ::dup2(out[1], 2);
      ::setenv("FMAP_TEST_LOG", log.variable().c_str() + std::strlen("FMAP_TEST_LOG="), 1);
      ::execl("/proc/self/exe", "tests_processes", test.c_str(), nullptr);
      ::_exit(99);
    }
    ::close(out[1]);
    out_ = out[0];
  }
  ~program() {
    ::kill(-pid_, SIGKILL);
    ::close(out_);
    wait();
  }
  pid_t pid() const { return pid_; }

  /// All it has written, once nobody can write there any more.
  std::string output() const {
    std::string result;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(out_, buffer, sizeof buffer)) > 0;)
      result.append(buffer, static_cast<std::size_t>(n));
    return result;
  }
  int wait() {
    if (!waited_) ::waitpid(pid_, &status_, 0);
    waited_ = true;
    return status_;
  }

private:
  pid_t pid_ = -1;
  int out_ = -1, status_ = 0;
  bool waited_ = false;
};

}  // namespace testing
