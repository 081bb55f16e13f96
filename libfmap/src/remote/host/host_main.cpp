// SPDX-License-Identifier: BSD-3-Clause
// What a node does instead of the program's main.

#include "src/remote/host/host_main.hpp"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "src/core/processors.hpp"
#include "src/remote/host/exit_codes.hpp"
#include "src/remote/link/link_stream.hpp"
#include "src/remote/plain_stream.hpp"
#include "src/remote/watched_time.hpp"

namespace fmap::remote {

namespace {

constexpr std::uint32_t most_workers = 1024;

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
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), result.workers);
      if (error != std::errc{} || end != value.data() + value.size() || result.workers == 0
          || result.workers > most_workers)
        refuse("--fmap-workers=" + std::string{value} + ": give a number from 1 to "
               + std::to_string(most_workers));
    } else {
      refuse(std::string{a}
             + " is not known; a node knows --fmap-node, --fmap-name and "
               "--fmap-workers");
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
  node.greet();
  watched_time time;
  for (;;) {
    pollfd fd{in.bytes().read_fd(), POLLIN, 0};
    const int longest = node.pause(time.now());
    const bool there = ::poll(&fd, 1, longest) > 0;
    time.look(watched_time::clock::now(), std::chrono::milliseconds{longest});
    if (there) {
      if (!in.fill()) ::_exit(exit_left);  // the pool is gone: whatever runs here, nobody wants it
      node.heard(time.now());
      const bool sane =
          in.each([&](frames::kind kind, wire::reader& r) { return node.receive(kind, r); });
      if (!sane) {
        std::fprintf(stderr, "fmap: node %s was sent what is no message, and ends\n",
                     options.name.c_str());
        ::_exit(exit_broken);
      }
    }
    if (!node.look(time.now())) {
      std::fprintf(stderr, "fmap: node %s has heard nothing of its pool for %.3g s, and ends\n",
                   options.name.c_str(), std::chrono::duration<double>(node.silence()).count());
      ::_exit(exit_left);
    }
  }
}

}  // namespace fmap::remote
