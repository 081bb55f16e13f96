// SPDX-License-Identifier: BSD-3-Clause
// Signals.
#include "tool/ui/signals.hpp"

#include <csignal>
#include <cstdlib>
#include <initializer_list>

#include <pthread.h>
#include <unistd.h>

namespace fmap::tool {

sigset_t take_signals() {
  sigset_t taken;
  ::sigemptyset(&taken);
  // A script's shell makes what it runs in the background ignore SIGINT and SIGQUIT. The first is to stay so; the second
  // asks for no end here.
  for (const int signal : {SIGQUIT, SIGUSR1, SIGUSR2}) ::sigaddset(&taken, signal);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT}) {
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    if (now.sa_handler != SIG_IGN) ::sigaddset(&taken, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &taken, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // ignored, it would hide how children end
  return taken;
}

void die_of(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, signal);
  ::pthread_kill(pthread_self(), signal);  // nobody else may get it
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  std::_Exit(128 + signal);
}

}  // namespace fmap::tool
