// SPDX-License-Identifier: BSD-3-Clause
// Who is at the other end of a connection.

#include "src/remote/peer.hpp"

#include <poll.h>

namespace fmap::remote {

void peer::kill_if_alive(std::chrono::milliseconds moment) noexcept {
  pollfd end{end_fd(), POLLIN, 0};
  if (end.fd < 0 || ::poll(&end, 1, static_cast<int>(moment.count())) <= 0) kill();
}

}  // namespace fmap::remote
