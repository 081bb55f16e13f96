// SPDX-License-Identifier: BSD-3-Clause
// Writes outputs.
#include "tool/output/writer.hpp"

#include <cerrno>
#include <cstddef>

#include <poll.h>
#include <unistd.h>

#include "tool/ui/screen.hpp"

namespace fmap::tool {

void writer::write(stream_of where, std::string_view bytes) {
  const int descriptor = where == stream_of::out ? out_ : STDERR_FILENO;
  const screen::quiet quiet;
  while (state_ == state::writes && !bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd room{descriptor, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      error_ = errno;
      state_ = errno == EPIPE ? state::nobody_reads : state::broken;
    }
  }
}

}  // namespace fmap::tool
