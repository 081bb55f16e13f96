// SPDX-License-Identifier: BSD-3-Clause
// Sockets that listen, and sockets that are connected.

#include "src/remote/link/sockets.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/core/standard_streams.hpp"

namespace fmap::remote {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int flags = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
constexpr int backlog = 1024;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error{errno, std::generic_category(), "fmap: " + what};
}

/// A new socket, which is nowhere where standard streams belong; negative with errno if there is none.
descriptor make_socket(int family) {
  detail::standard_streams streams;
  return descriptor{streams.make([family] { return ::socket(family, flags, 0); })};
}

using addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// What a host and a port mean. Empty: `why` says why there is nothing.
addresses look_up(const address& a, bool to_listen, std::string& why) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV | (to_listen ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const char* const host = a.host.empty() ? nullptr : a.host.c_str();
  const int error = ::getaddrinfo(host, a.port.c_str(), &wanted, &found);
  if (error != 0)
    why = error == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(error);
  return {error == 0 ? found : nullptr, &::freeaddrinfo};
}

bool is_loopback(const sockaddr_storage& a) {
  if (a.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(a);
    return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
  }
  return a.ss_family == AF_INET6
         && IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(a).sin6_addr);
}

/// As numbers.
address name_of(const sockaddr_storage& a, socklen_t size) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  const int error = ::getnameinfo(reinterpret_cast<const sockaddr*>(&a), size, host, sizeof host,
                                  port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  if (error != 0) return {"unknown", "0"};
  constexpr std::string_view mapped = "::ffff:";
  const std::string_view text{host};
  const bool is_v4 = text.starts_with(mapped) && text.find('.') != text.npos;
  return {std::string{is_v4 ? text.substr(mapped.size()) : text}, port};
}

sockaddr_un path_of(const address& a) {
  sockaddr_un result{};
  result.sun_family = AF_UNIX;
  std::memcpy(result.sun_path, a.host.c_str(), std::min(a.host.size() + 1, sizeof result.sun_path));
  return result;
}

/// Whether a program that has ended has left this Unix socket behind.
bool abandoned(const sockaddr_un& path) {
  struct stat about {};
  if (::lstat(path.sun_path, &about) != 0 || !S_ISSOCK(about.st_mode)) return false;
  const descriptor probe = make_socket(AF_UNIX);
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&path), sizeof path) != 0
         && errno == ECONNREFUSED;
}

/// Waits until the socket is connected. False: `why` says why it is not.
bool connected(int socket, clock::time_point until, int wake_up, std::string& why) {
  pollfd fds[] = {{socket, POLLOUT, 0}, {wake_up, POLLIN, 0}};
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - clock::now()).count();
    const int n = ::poll(fds, 2, static_cast<int>(std::max<milliseconds::rep>(left, 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n > 0 && fds[1].revents == 0) break;
    why = n == 0 ? "no answer" : "interrupted";
    return false;
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) why = std::generic_category().message(error);
  return error == 0;
}

descriptor connect(int family, const sockaddr* to, socklen_t size, clock::time_point until,
                   int wake_up, std::string& why) {
  descriptor result = make_socket(family);
  if (result.get() >= 0 && ::connect(result.get(), to, size) == 0) return result;
  if (result.get() >= 0 && errno == EINPROGRESS) {
    if (connected(result.get(), until, wake_up, why)) return result;
  } else {
    why = std::generic_category().message(errno);
  }
  return descriptor{};
}

}  // namespace

listener::listener(const address& a) : where_{a} {
  if (a.is_unix())
    listen_on_path();
  else
    listen_on_port();
}

listener::~listener() {
  if (where_.is_unix()) ::unlink(where_.host.c_str());
}

// Nobody can connect before it listens, and then its mode is right.
void listener::listen_on_path() {
  const sockaddr_un path = path_of(where_);
  if (abandoned(path)) ::unlink(path.sun_path);
  descriptor s = make_socket(AF_UNIX);
  if (s.get() < 0) fail("no socket");
  if (::bind(s.get(), reinterpret_cast<const sockaddr*>(&path), sizeof path) != 0)
    fail("cannot listen on " + to_string(where_));
  if (::chmod(path.sun_path, 0600) != 0 || ::listen(s.get(), backlog) != 0) {
    const int error = errno;
    ::unlink(path.sun_path);
    errno = error;
    fail("cannot listen on " + to_string(where_));
  }
  local_ = true;
  socket_.swap(s);
}

void listener::listen_on_port() {
  std::string why;
  const addresses found = look_up(where_, true, why);
  if (!found)
    throw std::invalid_argument{"fmap: cannot listen on " + to_string(where_) + ": " + why};
  for (const addrinfo* a = found.get(); a != nullptr; a = a->ai_next) {
    descriptor s = make_socket(a->ai_family);
    if (s.get() < 0) continue;
    const int yes = 1, no = 0;
    ::setsockopt(s.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    // Every interface: also those of IPv4.
    if (a->ai_family == AF_INET6) ::setsockopt(s.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (::bind(s.get(), a->ai_addr, a->ai_addrlen) != 0 || ::listen(s.get(), backlog) != 0)
      continue;
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(s.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    local_ = is_loopback(bound);
    const address numbers = name_of(bound, size);
    where_.port = numbers.port;
    if (where_.host.empty()) where_.host = numbers.host;
    socket_.swap(s);
    return;
  }
  fail("cannot listen on " + to_string(where_));
}

std::optional<arrival> listener::accept() const {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  detail::standard_streams streams;
  descriptor s{streams.make([&] {
    return ::accept4(fd(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
  })};
  if (s.get() < 0) return std::nullopt;
  if (where_.is_unix()) return arrival{std::move(s), "unix", to_string(where_)};
  const address name = name_of(from, size);
  return arrival{std::move(s), name.host, to_string(name)};
}

std::vector<address> reachable_at(const listener& l) {
  const address& where = l.where();
  if (where.host != "0.0.0.0" && where.host != "::") return {where};
  std::vector<address> result, local;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {where};
  for (const ifaddrs* i = all; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr) continue;
    const auto family = i->ifa_addr->sa_family;
    if (family != AF_INET && (family != AF_INET6 || where.host == "0.0.0.0")) continue;
    sockaddr_storage a{};
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(&a, i->ifa_addr, size);
    const address found{name_of(a, size).host, where.port};
    if (found.host.find('%') != found.host.npos) continue;  // of one link only
    (is_loopback(a) ? local : result).push_back(found);
  }
  ::freeifaddrs(all);
  result.insert(result.end(), local.begin(), local.end());
  return result;
}

descriptor dial(const address& a, milliseconds time, int wake_up, std::string& why) {
  const auto until = clock::now() + time;
  if (a.is_unix()) {
    const sockaddr_un path = path_of(a);
    return connect(AF_UNIX, reinterpret_cast<const sockaddr*>(&path), sizeof path, until, wake_up,
                   why);
  }
  const addresses found = look_up(a, false, why);
  for (const addrinfo* at = found.get(); at != nullptr; at = at->ai_next) {
    descriptor s = connect(at->ai_family, at->ai_addr, at->ai_addrlen, until, wake_up, why);
    if (s.get() >= 0) return s;
  }
  return descriptor{};
}

void tune(int socket, std::chrono::nanoseconds silence) {
  const int yes = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const auto ms = std::chrono::duration_cast<milliseconds>(silence).count();
  const unsigned most = static_cast<unsigned>(std::clamp<milliseconds::rep>(ms, 1, 1'000'000'000));
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof most);
}

}  // namespace fmap::remote
