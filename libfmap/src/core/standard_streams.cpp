// SPDX-License-Identifier: BSD-3-Clause
// Keeps fmap's descriptors away from where standard input, output and error belong.

#include "src/core/standard_streams.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

namespace fmap::detail {

namespace {

constexpr int streams = 3;

std::mutex& one_at_a_time() {
  static auto& mutex = *new std::mutex;
  return mutex;
}

/// It can be neither read nor written.
int nothing() { return ::open("/dev/null", O_PATH | O_CLOEXEC); }

bool is_stream(int fd) { return fd >= 0 && fd < streams; }

}  // namespace

standard_streams::standard_streams() : alone_{one_at_a_time()} {
  int fd = nothing();
  for (; is_stream(fd); fd = nothing()) missing_[fd] = true;
  if (fd >= 0) ::close(fd);
}

standard_streams::~standard_streams() {
  const int error = errno;
  for (int fd = 0; fd != streams; ++fd)
    if (missing_[fd]) ::close(fd);
  errno = error;
}

/// True if one of them was at a standard stream's place: then none is left. The program may be writing there right now.
/// So nobody sees the other end of a pipe closed before something else is in that place.
bool standard_streams::drop(const int* fds, std::size_t n) noexcept {
  if (std::none_of(fds, fds + n, is_stream)) return false;
  int copies[4];
  std::size_t copied = 0;
  for (std::size_t i = 0; i != n; ++i)
    if (is_stream(fds[i]) && copied != std::size(copies))
      copies[copied++] = ::fcntl(fds[i], F_DUPFD_CLOEXEC, streams);
  for (std::size_t i = 0; i != n; ++i)
    if (is_stream(fds[i])) occupy(fds[i]);
  for (std::size_t i = 0; i != n; ++i)
    if (!is_stream(fds[i])) ::close(fds[i]);
  for (std::size_t i = 0; i != copied; ++i)
    if (copies[i] >= 0) ::close(copies[i]);
  return true;
}

void standard_streams::occupy(int fd) noexcept {
  const int instead = nothing();
  if (instead >= 0) ::dup3(instead, fd, O_CLOEXEC);
  missing_[fd] = true;
  if (is_stream(instead))
    missing_[instead] = true;
  else if (instead >= 0)
    ::close(instead);
}

void open_missing_streams() noexcept {
  int fd = 0;
  while (is_stream(fd)) fd = ::open("/dev/null", O_RDWR);
  if (fd >= 0) ::close(fd);
}

}  // namespace fmap::detail
