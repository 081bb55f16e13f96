// SPDX-License-Identifier: BSD-3-Clause
// Nodes that dial in, for tests: this program, started as one.
#pragma once

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/content_of.hpp"
#include "support/folder.hpp"

namespace testing {

/// This program as a child process, with these arguments and variables; what it writes to standard error is kept.
class dialled_node {
public:
  explicit dialled_node(std::vector<std::string> arguments,
                        std::vector<std::string> variables = {}) {
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    arguments.insert(arguments.begin(), self);
    std::vector<char*> argv;
    for (std::string& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    const std::string path = said_;
    // A signal for the node does not find the handlers of this program.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_ = ::fork();
    if (pid_ == 0)
      for (const int s : {SIGTERM, SIGINT}) ::signal(s, SIG_DFL);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid_ < 0) throw std::runtime_error{"cannot fork"};
    if (pid_ != 0) return;
    for (std::string& v : variables) ::putenv(v.data());
    const int out = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, 2);
    ::execv(self.c_str(), argv.data());
    ::_exit(99);
  }
  ~dialled_node() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  dialled_node(const dialled_node&) = delete;
  dialled_node& operator=(const dialled_node&) = delete;

  pid_t pid() const { return pid_; }
  void kill(int signal) const { ::kill(pid_, signal); }

  /// Waits for its end. Its exit code, or minus the signal.
  int wait() {
    int status = 0;
    if (::waitpid(std::exchange(pid_, -1), &status, 0) < 0) return -1000;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// What it has written to standard error.
  std::string said() const { return content_of(said_); }

private:
  const folder here_;
  const std::string said_ = here_ / "stderr";
  pid_t pid_ = -1;
};

}  // namespace testing
