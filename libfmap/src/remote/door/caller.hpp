// SPDX-License-Identifier: BSD-3-Clause
// Somebody who has dialled in and has not been let in.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <poll.h>

#include "src/remote/connection.hpp"
#include "src/remote/frames.hpp"
#include "src/remote/link/sockets.hpp"
#include "src/remote/link/tls.hpp"

namespace fmap::remote {

/// Shakes hands, if there is to be TLS, and says who it is. Never blocks; what it can have the pool keep is a frame of
/// 64 KiB. Not thread-safe.
class caller {
public:
  enum class state : std::uint8_t {
    shaking,   ///< the handshake of TLS is under way
    greeting,  ///< it has not said who it is
    waiting,   ///< it has, and waits for an answer
    over
  };

  /// `tls`: nobody, if none is spoken.
  caller(arrival, tls_context* tls, std::chrono::steady_clock::time_point now);

  /// What to wait for before go_on().
  pollfd wants() const;
  void go_on();

  /// Tells it why it is refused, and that is its end.
  void refuse(const frames::refused&);

  /// It was let in: its connection, and that is the end of this.
  std::unique_ptr<connection> leave();

  state now() const noexcept { return now_; }
  const std::string& why() const noexcept { return why_; }  ///< it ended by itself
  bool has_spoken() const noexcept { return spoken_; }
  const frames::hello& who() const noexcept { return who_; }
  const std::vector<std::string>& names() const noexcept { return names_; }  ///< in its certificate
  const std::string& host() const noexcept { return host_; }
  const std::string& from() const noexcept { return from_; }
  std::chrono::steady_clock::time_point begun() const noexcept { return begun_; }

private:
  void shake();
  void listen();
  void end(std::string why);

  state now_ = state::shaking;
  const std::chrono::steady_clock::time_point begun_;
  const std::string host_, from_;
  std::unique_ptr<tls_stream> shaking_;
  tls_stream::handshake wants_ = tls_stream::handshake::reads;
  std::unique_ptr<connection> line_;
  frames::hello who_;
  std::vector<std::string> names_;
  std::string why_;
  bool spoken_ = false;
};

}  // namespace fmap::remote
