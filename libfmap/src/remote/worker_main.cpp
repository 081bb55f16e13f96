// SPDX-License-Identifier: BSD-3-Clause
// What a worker process does instead of the program's main.

#include "src/remote/worker_main.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "src/core/standard_streams.hpp"
#include "src/remote/plain_stream.hpp"
#include "src/remote/spawned_process.hpp"
#include "src/remote/worker_exit.hpp"

namespace fmap::remote {

namespace {

/// This process ends when the pool's does. The handler does nothing: to ignore a signal would be inherited by
/// programs that items start. What is ignored already stays so.
void disregard_signals() {
  for (const int s : signals_for_the_parent) {
    struct sigaction action {};
    ::sigaction(s, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    ::sigaction(s, &action, nullptr);
  }
}

/// Where there are not enough threads or memory the pool tries again, or goes on with fewer processes.
bool set_up(worker_process& worker, wire::reader& r) {
  try {
    return worker.receive(frames::kind::setup, r);
  } catch (const std::exception&) {
    ::_exit(no_resources);
  }
}

void prepare(int socket, int recorder_fd) {
  // However the parent ends, even if this process is stopped.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // What this process starts itself must not keep the connection alive.
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  ::fcntl(recorder_fd, F_SETFD, FD_CLOEXEC);
  detail::open_missing_streams();
  disregard_signals();
  // Not "exe".
  ::prctl(PR_SET_NAME, program_invocation_short_name);
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  // Whole lines, so that those of several processes stay apart, and none is lost in a crash.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

}  // namespace

void worker_main(int socket, int recorder_fd, make_threads make) {
  prepare(socket, recorder_fd);
  connection in{std::make_unique<plain_stream>(socket), other_end::pool};
  auto worker = std::make_unique<worker_process>(socket, recorder_fd, std::move(make));
  for (;;) {
    try {
      if (!in.wait_and_fill()) ::_exit(0);  // the pool is gone: whatever runs here, nobody wants it
    } catch (const std::bad_alloc&) {
      worker->blame(in.unfinished(frames::kind::batch));
      throw;
    }
    const bool sane = in.each([&](frames::kind kind, wire::reader& r) {
      if (kind == frames::kind::setup) return set_up(*worker, r);
      if (kind != frames::kind::quit) return worker->receive(kind, r);
      worker.reset();
      exit_in_order();
    });
    if (!sane) ::_exit(3);
  }
}

}  // namespace fmap::remote
