// SPDX-License-Identifier: BSD-3-Clause
// Bytes from a descriptor.
#include "tool/input/blocks.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace fmap::tool {

namespace {

constexpr std::size_t block_size = 65536;

}  // namespace

flag::flag() : event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  if (event_ < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
}

flag::~flag() { ::close(event_); }

void flag::raise() noexcept {
  const std::uint64_t one = 1;
  while (::write(event_, &one, sizeof one) < 0 && errno == EINTR) {}
}

bool flag::raised() const noexcept {
  pollfd wanted{event_, POLLIN, 0};
  return ::poll(&wanted, 1, 0) > 0;
}

blocks::~blocks() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

std::optional<std::string> blocks::next(const flag& stop) {
  for (;;) {
    pollfd both[] = {{descriptor_, POLLIN, 0}, {stop.descriptor(), POLLIN, 0}};
    if (::poll(both, 2, -1) < 0 && errno != EINTR)
      throw std::system_error{errno, std::generic_category(), "poll"};
    if (both[1].revents != 0) return std::nullopt;
    if (both[0].revents != 0) return take();
  }
}

std::optional<std::string> blocks::take() {
  room_.resize(block_size);
  for (;;) {
    const ssize_t got = ::read(descriptor_, room_.data(), room_.size());
    if (got > 0) return room_.substr(0, static_cast<std::size_t>(got));
    if (got == 0) return std::nullopt;
    if (errno == EAGAIN) {  // somebody else was faster, or the descriptor is shared
      pollfd wanted{descriptor_, POLLIN, 0};
      ::poll(&wanted, 1, -1);
    } else if (errno != EINTR) {
      throw std::system_error{errno, std::generic_category(), "cannot read " + name_};
    }
  }
}

bool blocks::ready(std::chrono::milliseconds patience) const {
  pollfd wanted{descriptor_, POLLIN, 0};
  return ::poll(&wanted, 1, static_cast<int>(patience.count())) > 0;
}

}  // namespace fmap::tool
