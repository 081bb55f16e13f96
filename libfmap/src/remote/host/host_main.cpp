// SPDX-License-Identifier: BSD-3-Clause
// What a node does instead of the program's main.

#include "src/remote/host/host_main.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/core/standard_streams.hpp"
#include "src/remote/host/comeback.hpp"
#include "src/remote/host/dialler.hpp"
#include "src/remote/host/exit_codes.hpp"
#include "src/remote/link/link_stream.hpp"
#include "src/remote/link/sockets.hpp"
#include "src/remote/plain_stream.hpp"
#include "src/remote/watched_time.hpp"

namespace fmap::remote {

namespace {

using clock = heritage::clock;
using std::chrono::milliseconds;

std::atomic<int> asked_to_leave{0};  // the signal that nobody has looked at
std::atomic<int> leaves{0};          // it was asked, or its time is over: it does not come again
int wake_up = -1;                    // an eventfd

/// Runs in whatever thread the signal finds. A handler, and not a blocked signal: programs that items start have the
/// default action again.
void on_signal(int signal) {
  const int error = errno;
  asked_to_leave = leaves = signal;
  const std::uint64_t one = 1;
  (void)!::write(wake_up, &one, sizeof one);
  errno = error;
}

/// A life before this one may have blocked them.
void listen_to_signals() {
  wake_up = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int s : {SIGTERM, SIGINT}) ::sigaction(s, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void refuse(const std::string& why) {
  std::fprintf(stderr, "fmap: %s\n", why.c_str());
  ::_exit(exit_usage);
}

[[noreturn]] void leave_at_once() { ::_exit(exit_left); }

/// What is not there of standard input, output and error is /dev/null; unless two of them are to be the connection.
void settle_streams(bool are_connection) {
  for (const int fd : {0, 1})
    if (are_connection && ::fcntl(fd, F_GETFD) < 0)
      refuse("standard input and output are to be a node's connection, but descriptor "
             + std::to_string(fd) + " is not open");
  detail::open_missing_streams();
}

int copy_of(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) refuse("no descriptor: " + std::generic_category().message(errno));
  return copy;
}

pool_line standard_line() {
  return {std::make_unique<plain_stream>(copy_of(0), copy_of(1)),
          std::make_unique<plain_stream>(copy_of(0), copy_of(1))};
}

/// What the program and its processes print goes to standard error.
void move_output() {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(2, 1) < 0)
    refuse("standard output cannot be sent to standard error: "
           + std::generic_category().message(errno));
  ::close(nothing);
}

std::string variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

host_options options_of(int argc, char** argv, const heritage& h) {
  try {
    return host_options_of(argc, argv, variable, clock::now() - h.begun);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    ::_exit(exit_usage);
  }
}

/// One life: serves the pool at the other end until that is gone.
class life {
public:
  life(const host_options& options, pool_line line, const make_processes& make)
      : options_{options}, encrypted_{line.encrypted}, where_{std::move(line.where)},
        in_{over(std::move(line.in)), other_end::pool}, up_{over(std::move(line.out)),
                                                            options.dials() ? come_again
                                                                            : leave_at_once},
        node_{*new agent{up_, options.agent, make}} {}  // threads of its use it until the end

  [[noreturn]] void live();

private:
  static std::unique_ptr<stream> over(std::unique_ptr<stream> bytes) {
    return std::make_unique<link_stream>(std::move(bytes), 0, nullptr);
  }

  void wait();
  void leave_in_time();
  void read();
  void greeted();
  [[noreturn]] void pool_is_gone(const std::string& how);

  const host_options& options_;
  tls_stream* const encrypted_;
  const std::string where_;
  connection in_;
  uplink up_;
  agent& node_;
  watched_time time_;
  const clock::time_point begun_ = clock::now();
  bool greeted_ = false, leaves_ = false, there_ = false;
};

void life::live() {
  node_.greet();
  for (;;) {
    wait();
    if (const int s = asked_to_leave.exchange(0); s != 0)
      node_.leave(node_.time_to_leave(), "it got signal " + std::to_string(s));
    leave_in_time();
    if (there_) read();
    if (node_.welcomed() && !greeted_) greeted();
    if (!node_.look(time_.now())) {
      char text[64];
      std::snprintf(text, sizeof text, "has heard nothing of its pool for %.3g s",
                    std::chrono::duration<double>(node_.silence()).count());
      std::fprintf(stderr, "fmap: node %s %s, and %s\n", node_.name().c_str(), text,
                   options_.dials() ? "looks for it" : "ends");
      up_.gone();
    }
  }
}

void life::wait() {
  pollfd fds[] = {{in_.bytes().read_fd(), POLLIN, 0}, {wake_up, POLLIN, 0}};
  int longest = node_.pause(time_.now());
  if (options_.leave_after && !leaves_)
    longest = static_cast<int>(std::clamp<milliseconds::rep>(
        std::chrono::ceil<milliseconds>(begun_ + *options_.leave_after - clock::now()).count(), 0,
        longest));
  const bool something = ::poll(fds, 2, longest) > 0;
  time_.look(clock::now(), milliseconds{longest});
  std::uint64_t n = 0;
  if (something && fds[1].revents != 0) (void)!::read(wake_up, &n, sizeof n);
  there_ = something && fds[0].revents != 0;
}

/// The end of its time is known.
void life::leave_in_time() {
  if (leaves_ || !options_.leave_after || clock::now() - begun_ < *options_.leave_after) return;
  leaves_ = true;
  leaves = 1;
  node_.leave(node_.time_to_leave(), "its time is over soon");
}

void life::read() {
  if (!in_.fill()) pool_is_gone(encrypted_ != nullptr ? encrypted_->failure() : "");
  node_.heard(time_.now());
  if (in_.each([&](frames::kind kind, wire::reader& r) { return node_.receive(kind, r); })) return;
  std::fprintf(stderr, "fmap: node %s was sent what is no message, and ends\n",
               node_.name().c_str());
  ::_exit(exit_broken);
}

void life::greeted() {
  greeted_ = true;
  if (!options_.dials()) return;
  tune(in_.bytes().read_fd(), node_.silence());
  if (!options_.quiet)
    std::fprintf(stderr, "fmap: node %s joined %s\n", node_.name().c_str(), where_.c_str());
}

// Whatever runs here, nobody wants it.
void life::pool_is_gone(const std::string& how) {
  if (encrypted_ != nullptr && encrypted_->refused()) {
    std::fprintf(stderr, "fmap: node %s refused by %s: %s\n", node_.name().c_str(), where_.c_str(),
                 how.c_str());
    ::_exit(exit_refused);
  }
  if (options_.dials() && greeted_ && !options_.quiet)
    std::fprintf(stderr, "fmap: node %s has lost its pool, and looks for it\n",
                 node_.name().c_str());
  if (options_.dials() && !greeted_) begin_anew();
  up_.gone();
}

}  // namespace

void host_main(int argc, char** argv, const make_processes& make) {
  heritage& h = inherit(argv, leaves);
  host_options options = options_of(argc, argv, h);
  options.agent.incarnation = h.incarnation;
  if (options.dials()) options.agent.come_again = come_again, options.agent.come_later = come_later;
  if (options.agent.name.empty()) options.agent.name = agent::usual_name();
  settle_streams(!options.dials());
  listen_to_signals();
  try {
    pool_line line = options.dials() ? dialler{options, h, wake_up}.call() : standard_line();
    move_output();
    (new life{options, std::move(line), make})->live();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    ::_exit(exit_usage);
  }
}

}  // namespace fmap::remote
