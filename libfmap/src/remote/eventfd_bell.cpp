// SPDX-License-Identifier: BSD-3-Clause
// The doorbell of a thread that polls.

#include "src/remote/eventfd_bell.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

#include "src/core/standard_streams.hpp"

namespace fmap::remote {

namespace {

int make() {
  detail::standard_streams streams;
  return streams.make([] { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); });
}

}  // namespace

eventfd_bell::eventfd_bell() : fd_{make()} {
  if (fd_ < 0)
    throw std::system_error{errno, std::generic_category(),
                            "fmap: no eventfd for a worker process"};
}

eventfd_bell::~eventfd_bell() { ::close(fd_); }

void eventfd_bell::ring() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(fd_, &one, sizeof one);
}

void eventfd_bell::reset() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(fd_, &count, sizeof count);
}

}  // namespace fmap::remote
