// SPDX-License-Identifier: BSD-3-Clause
// How a node finds its pool.

#include "src/remote/host/dialler.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <random>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "src/remote/host/exit_codes.hpp"
#include "src/remote/link/sockets.hpp"
#include "src/remote/plain_stream.hpp"

namespace fmap::remote {

namespace {

using clock = heritage::clock;
using std::chrono::milliseconds;

/// To connect, and then for the handshake.
constexpr milliseconds patience{10'000};

}  // namespace

dialler::dialler(const host_options& options, heritage& h, int wake_up)
    : options_{options}, heritage_{h}, wake_up_{wake_up} {
  if (options.tls) tls_ = make_tls(tls_end::node, *options.tls);
}

pool_line dialler::call() {
  std::random_device random;
  std::string why = "no pool has let it in", told;
  for (;;) {
    const double part = static_cast<double>(random()) / static_cast<double>(random.max());
    if (heritage_.tries != 0 && woken(pause_before(heritage_.tries - 1, part))) ::_exit(exit_left);
    give_up_in_time(why);
    ++heritage_.tries;
    if (pool_line line = try_all(why)) return line;
    if (std::exchange(told, why) != why) tell("is without a pool: " + why);
  }
}

void dialler::give_up_in_time(const std::string& why) const {
  const auto alone = clock::now() - heritage_.alone;
  if (options_.give_up.count() == 0 || alone <= options_.give_up) return;
  std::fprintf(stderr, "fmap: node %s gives up after %.3g s without a pool: %s\n",
               options_.agent.name.c_str(), std::chrono::duration<double>(alone).count(),
               why.c_str());
  ::_exit(exit_unreached);
}

pool_line dialler::try_all(std::string& why) {
  for (const address& a : options_.pool) {
    if (pool_line line = try_one(a, why)) {
      line.where = to_string(a);
      return line;
    }
    why.insert(0, to_string(a) + ": ");
    if (woken(milliseconds{0})) ::_exit(exit_left);
  }
  return {};
}

pool_line dialler::try_one(const address& a, std::string& why) {
  descriptor socket = dial(a, patience, wake_up_, why);
  if (socket.get() < 0) return {};
  if (tls_) return encrypt(std::move(socket), a, why);
  descriptor copy{::fcntl(socket.get(), F_DUPFD_CLOEXEC, 3)};
  if (copy.get() < 0) {
    why = "no descriptor";
    return {};
  }
  pool_line result{std::make_unique<plain_stream>(socket.get()),
                   std::make_unique<plain_stream>(copy.get())};
  socket.release();
  copy.release();
  return result;
}

pool_line dialler::encrypt(descriptor socket, const address& a, std::string& why) {
  const std::string& name = options_.pool_name.empty() ? a.host : options_.pool_name;
  auto line = tls_->over(std::move(socket), name);
  const auto until = clock::now() + patience;
  for (;;) {
    const auto state = line->shake_hands();
    if (state == tls_stream::handshake::done) break;
    if (state == tls_stream::handshake::failed) {
      why = line->failure().empty() ? "the pool broke off the handshake" : line->failure();
      if (!line->refused()) return {};
      std::fprintf(stderr, "fmap: node %s: the certificate of %s: %s\n",
                   options_.agent.name.c_str(), to_string(a).c_str(), why.c_str());
      ::_exit(exit_refused);
    }
    const short event = state == tls_stream::handshake::reads ? POLLIN : POLLOUT;
    pollfd fds[] = {{line->read_fd(), event, 0}, {wake_up_, POLLIN, 0}};
    const auto left = std::chrono::ceil<milliseconds>(until - clock::now()).count();
    const int n = ::poll(fds, 2, static_cast<int>(std::max<milliseconds::rep>(left, 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n > 0 && fds[1].revents != 0) ::_exit(exit_left);
    if (n == 0) {
      why = "the handshake took too long";
      return {};
    }
  }
  tls_stream* const encrypted = line.get();
  auto out = line->for_other_thread();
  return {std::move(line), std::move(out), encrypted};
}

/// Whether it is asked to leave within that time.
bool dialler::woken(milliseconds within) const {
  const auto until = clock::now() + within;
  for (;;) {
    pollfd p{wake_up_, POLLIN, 0};
    const auto left = std::chrono::ceil<milliseconds>(until - clock::now()).count();
    const int n = ::poll(&p, 1, static_cast<int>(std::max<milliseconds::rep>(left, 0)));
    if (n < 0 && errno == EINTR) continue;
    return n > 0;
  }
}

void dialler::tell(const std::string& text) const {
  if (!options_.quiet)
    std::fprintf(stderr, "fmap: node %s %s\n", options_.agent.name.c_str(), text.c_str());
}

}  // namespace fmap::remote
