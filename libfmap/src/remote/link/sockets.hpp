// SPDX-License-Identifier: BSD-3-Clause
// Sockets that listen, and sockets that are connected.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "src/remote/descriptor.hpp"
#include "src/remote/link/address.hpp"

namespace fmap::remote {

/// Who has called: a connected socket that does not block.
struct arrival {
  descriptor socket;
  std::string host;  ///< as a number; "unix" for a Unix socket
  std::string from;  ///< with the port
};

/// A socket that listens; that of a Unix socket has mode 600, and is removed at the end.
class listener {
public:
  /// Throws std::system_error, or std::invalid_argument if there is no such host here.
  explicit listener(const address&);
  ~listener();
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  int fd() const noexcept { return socket_.get(); }

  /// Where it listens, with the port that it got.
  const address& where() const noexcept { return where_; }

  /// Whether only this machine can reach it, and whether only this user can.
  bool local() const noexcept { return local_; }
  bool is_private() const noexcept { return where_.is_unix(); }

  /// The next who has called. None: nobody has.
  std::optional<arrival> accept() const;

private:
  void listen_on_path();
  void listen_on_port();

  descriptor socket_;
  address where_;
  bool local_ = false;
};

/// Where others find it: for a listener on every interface, each of this machine's addresses.
std::vector<address> reachable_at(const listener&);

/// Connects, within that time; a host's addresses are tried in turn. None: `why` says what failed last, and `wake_up`,
/// if it is not -1, ends the attempt when it is readable.
descriptor dial(const address&, std::chrono::milliseconds time, int wake_up, std::string& why);

/// Small frames leave at once; what nobody confirms for so long ends the connection.
void tune(int socket, std::chrono::nanoseconds silence);

}  // namespace fmap::remote
