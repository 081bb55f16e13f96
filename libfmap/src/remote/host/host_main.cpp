// SPDX-License-Identifier: BSD-3-Clause
// What a node does instead of the program's main.

#include "src/remote/host/host_main.hpp"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/core/processors.hpp"
#include "src/remote/host/exit_codes.hpp"
#include "src/remote/link/link_stream.hpp"
#include "src/remote/plain_stream.hpp"
#include "src/remote/watched_time.hpp"

namespace fmap::remote {

namespace {

constexpr std::uint32_t most_workers = 1024;
constexpr std::uint32_t longest_drain = 1'000'000;  // seconds

std::atomic<int> asked_to_leave{0};  // the signal
int wake_up = -1;                    // an eventfd

/// Runs in whatever thread the signal finds. A handler, and not a blocked signal: programs that items start have the
/// default action again.
void on_signal(int signal) {
  const int error = errno;
  asked_to_leave = signal;
  const std::uint64_t one = 1;
  (void)!::write(wake_up, &one, sizeof one);
  errno = error;
}

void listen_to_signals() {
  wake_up = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int s : {SIGTERM, SIGINT}) ::sigaction(s, &action, nullptr);
}

[[noreturn]] void refuse(const std::string& why) {
  std::fprintf(stderr, "fmap: %s\n", why.c_str());
  ::_exit(exit_usage);
}

/// What follows a flag, if this is that flag.
bool is(std::string_view argument, std::string_view flag, std::string_view& value) {
  if (!argument.starts_with(flag)) return false;
  value = argument.substr(flag.size());
  return true;
}

std::uint32_t number(const std::string& flag, std::string_view text, std::uint32_t least,
                     std::uint32_t most) {
  std::uint32_t result = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc{} || end != text.data() + text.size() || result < least || result > most)
    refuse(flag + "=" + std::string{text} + ": give a number from " + std::to_string(least) + " to "
           + std::to_string(most));
  return result;
}

agent_options options_of(int argc, char** argv) {
  agent_options result;
  result.workers =
      static_cast<std::uint32_t>(std::min<std::size_t>(detail::usable_processors(), most_workers));
  for (int i = 1; i < argc; ++i) {
    const std::string_view a{argv[i]};
    std::string_view value;
    if (!a.starts_with("--fmap-")) continue;
    if (is(a, "--fmap-node=", value)) {
      if (value != "-")
        refuse("--fmap-node=" + std::string{value}
               + ": a node can only talk over its standard input and output: --fmap-node=-");
    } else if (is(a, "--fmap-name=", value)) {
      result.name = value;
    } else if (is(a, "--fmap-workers=", value)) {
      result.workers = number("--fmap-workers", value, 1, most_workers);
    } else if (is(a, "--fmap-drain=", value)) {
      result.drain = std::chrono::seconds{number("--fmap-drain", value, 0, longest_drain)};
    } else {
      refuse(std::string{a}
             + " is not known; a node knows --fmap-node, --fmap-name, --fmap-workers and "
               "--fmap-drain");
    }
  }
  return result;
}

int copy_of(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0)
    refuse("standard input and output are to be a node's connection, but descriptor "
           + std::to_string(fd) + " is not open");
  return copy;
}

std::unique_ptr<stream> link_of(int in, int out) {
  return std::make_unique<link_stream>(std::make_unique<plain_stream>(in, out), 0, nullptr);
}

/// What the program and its processes print goes to standard error.
void move_output() {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(2, 1) < 0)
    refuse("standard output cannot be sent to standard error: "
           + std::generic_category().message(errno));
  ::close(nothing);
}

}  // namespace

void host_main(int argc, char** argv, make_processes make) {
  const agent_options options = options_of(argc, argv);
  connection in{link_of(copy_of(0), copy_of(1)), other_end::pool};
  uplink up{link_of(copy_of(0), copy_of(1))};
  move_output();
  auto& node = *new agent{up, options, std::move(make)};  // threads of its use it until the end
  listen_to_signals();
  node.greet();
  watched_time time;
  for (;;) {
    pollfd fds[] = {{in.bytes().read_fd(), POLLIN, 0}, {wake_up, POLLIN, 0}};
    const int longest = node.pause(time.now());
    const bool there = ::poll(fds, 2, longest) > 0;
    time.look(watched_time::clock::now(), std::chrono::milliseconds{longest});
    std::uint64_t n = 0;
    if (there && fds[1].revents != 0) (void)!::read(wake_up, &n, sizeof n);
    if (const int s = asked_to_leave.exchange(0); s != 0)
      node.leave(node.time_to_leave(), "it got signal " + std::to_string(s));
    if (there && fds[0].revents != 0) {
      if (!in.fill()) ::_exit(exit_left);  // the pool is gone: whatever runs here, nobody wants it
      node.heard(time.now());
      const bool sane =
          in.each([&](frames::kind kind, wire::reader& r) { return node.receive(kind, r); });
      if (!sane) {
        std::fprintf(stderr, "fmap: node %s was sent what is no message, and ends\n",
                     node.name().c_str());
        ::_exit(exit_broken);
      }
    }
    if (!node.look(time.now())) {
      std::fprintf(stderr, "fmap: node %s has heard nothing of its pool for %.3g s, and ends\n",
                   node.name().c_str(), std::chrono::duration<double>(node.silence()).count());
      ::_exit(exit_left);
    }
  }
}

}  // namespace fmap::remote
