// SPDX-License-Identifier: BSD-3-Clause
// A network between nodes and a pool, in which connections are cut and fall silent when a test wants it.
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

#include "src/remote/descriptor.hpp"
#include "src/remote/link/address.hpp"
#include "src/remote/link/sockets.hpp"

namespace testing {

/// Passes the bytes of every connection that it gets on to another address, and back.
class bridge {
public:
  using clock = std::chrono::steady_clock;

  explicit bridge(fmap::remote::address to)
      : to_{std::move(to)}, thread_{[this](const std::stop_token& stop) { run(stop); }} {}

  const fmap::remote::address& where() const { return door_.where(); }

  /// Ends the connection number `which % connections()` without what is on its way: a reset (RST) for both ends.
  void reset(std::size_t which) {
    const std::lock_guard guard{mutex_};
    if (connections_.empty()) return;
    const auto it = at(which);
    for (const auto& end : it->ends) {
      const linger at_once{1, 0};
      ::setsockopt(end.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    connections_.erase(it);
  }

  /// Lets nothing through on that connection for so long, and loses nothing.
  void silence(std::size_t which, std::chrono::milliseconds time) {
    const std::lock_guard guard{mutex_};
    if (!connections_.empty()) at(which)->silent_until = clock::now() + time;
  }

private:
  static constexpr std::size_t most_waiting = 1 << 20;

  struct connection {
    std::array<fmap::remote::descriptor, 2> ends;
    std::array<std::string, 2> waiting{};  // for the end
    std::array<bool, 2> closed{};          // nothing more comes from the end
    clock::time_point silent_until{};

    bool over() const { return closed[0] && closed[1] && waiting[0].empty() && waiting[1].empty(); }
  };

  std::list<connection>::iterator at(std::size_t which) {
    return std::next(connections_.begin(), static_cast<long>(which % connections_.size()));
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<pollfd> wanted{{door_.fd(), POLLIN, 0}};
      {
        const std::lock_guard guard{mutex_};
        const auto now = clock::now();
        for (const auto& c : connections_)
          for (std::size_t i = 0; i != 2; ++i)
            if (const short events = wants(c, i); events != 0 && now >= c.silent_until)
              wanted.push_back({c.ends[i].get(), events, 0});
      }
      ::poll(wanted.data(), wanted.size(), 10);
      while (auto caller = door_.accept()) join(std::move(caller->socket));
      const std::lock_guard guard{mutex_};
      const auto now = clock::now();
      for (auto& c : connections_)
        if (now >= c.silent_until) pass_on(c);
      connections_.remove_if([](const auto& c) { return c.over(); });
    }
  }

  static short wants(const connection& c, std::size_t i) {
    const bool reads = !c.closed[i] && c.waiting[1 - i].size() < most_waiting;
    return static_cast<short>((reads ? POLLIN : 0) | (c.waiting[i].empty() ? 0 : POLLOUT));
  }

  void join(fmap::remote::descriptor caller) {
    std::string why;
    fmap::remote::descriptor callee = fmap::remote::dial(to_, std::chrono::seconds{5}, -1, why);
    if (callee.get() < 0) return;
    const std::lock_guard guard{mutex_};
    connections_.push_back({{std::move(caller), std::move(callee)}});
  }

  static void pass_on(connection& c) {
    for (std::size_t i = 0; i != 2; ++i) {
      std::string& there = c.waiting[1 - i];
      std::array<char, 65536> bytes;
      while (!c.closed[i] && there.size() < most_waiting) {
        const auto n = ::recv(c.ends[i].get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (n > 0)
          there.append(bytes.data(), static_cast<std::size_t>(n));
        else if (n < 0 && errno == EAGAIN)
          break;
        else
          c.closed[i] = true;
      }
      while (!there.empty()) {
        const auto n =
            ::send(c.ends[1 - i].get(), there.data(), there.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) {  // nobody is there any more
          c.closed = {true, true};
          c.waiting = {};
          return;
        }
        there.erase(0, static_cast<std::size_t>(n));
      }
      if (c.closed[i] && there.empty()) ::shutdown(c.ends[1 - i].get(), SHUT_WR);
    }
  }

  const fmap::remote::address to_;
  const fmap::remote::listener door_{{"127.0.0.1", "0"}};
  std::mutex mutex_;
  std::list<connection> connections_;
  std::jthread thread_;
};

}  // namespace testing
