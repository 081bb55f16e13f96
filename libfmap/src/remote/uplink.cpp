// SPDX-License-Identifier: BSD-3-Clause
// Frames from a worker process to its pool.

#include "src/remote/uplink.hpp"

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>

#include <fmap/detail/exception_codec.hpp>

#include "src/core/host_name.hpp"
#include "src/remote/plain_stream.hpp"

namespace fmap::remote {

namespace {

int copy_of(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) throw std::system_error{errno, std::generic_category(), "fmap: no descriptor"};
  return copy;
}

}  // namespace

std::string encode_here(const std::exception_ptr& error) {
  // Never destroyed: other threads still send when one ends the process.
  static const auto& host = *new std::string{detail::host_name()};
  return detail::encode_exception(error, host, ::getpid());
}

uplink::uplink(std::unique_ptr<stream> bytes, void (*gone)())
    : gone_{gone}, line_{std::move(bytes), other_end::pool} {}

uplink::uplink(int fd) : line_{std::make_unique<plain_stream>(copy_of(fd)), other_end::pool} {}

/// A child that a worker did not notice is nobody's worker either: one that was made without the handlers for forks, or
/// while a result was encoded.
void uplink::check_process() const {
  if (::getpid() != process_) ::_exit(0);
}

void uplink::flush() {
  std::lock_guard guard{mutex_};
  if (!line_.flush_all()) gone();
}

}  // namespace fmap::remote
