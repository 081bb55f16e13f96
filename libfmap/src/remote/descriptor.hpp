// SPDX-License-Identifier: BSD-3-Clause
// A descriptor that has an owner.
#pragma once

#include <utility>

#include <unistd.h>

namespace fmap::remote {

/// Closes it, unless it was released.
class descriptor {
public:
  explicit descriptor(int fd = -1) noexcept : fd_{fd} {}
  descriptor(descriptor&& other) noexcept : fd_{other.release()} {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void swap(descriptor& other) noexcept { std::swap(fd_, other.fd_); }

private:
  int fd_;
};

}  // namespace fmap::remote
