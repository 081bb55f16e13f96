// SPDX-License-Identifier: BSD-3-Clause
// The doorbell of a thread that polls.
#pragma once

#include "src/remote/kernel.hpp"

namespace fmap::remote {

/// Its descriptor is readable while it has rung.
class eventfd_bell final : public doorbell {
public:
  /// Throws std::system_error.
  eventfd_bell();
  ~eventfd_bell() override;
  eventfd_bell(const eventfd_bell&) = delete;
  eventfd_bell& operator=(const eventfd_bell&) = delete;

  void ring() noexcept override;
  void reset() noexcept;
  int fd() const noexcept { return fd_; }

private:
  const int fd_;
};

}  // namespace fmap::remote
