// SPDX-License-Identifier: BSD-3-Clause
// Keeps fmap's descriptors away from where standard input, output and error belong.

#include "src/remote/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace fmap::remote {

namespace {

std::mutex& one_at_a_time() {
  static auto& mutex = *new std::mutex;
  return mutex;
}

}  // namespace

standard_streams::standard_streams() : alone_{one_at_a_time()} {
  for (;;) {
    const int fd = ::open("/dev/null", O_PATH | O_CLOEXEC);  // it can be neither read nor written
    if (fd < 0) return;
    if (fd > 2) {
      ::close(fd);
      return;
    }
    missing_[fd] = true;
  }
}

standard_streams::~standard_streams() {
  for (int fd = 0; fd != 3; ++fd)
    if (missing_[fd]) ::close(fd);
}

}  // namespace fmap::remote
