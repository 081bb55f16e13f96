// SPDX-License-Identifier: BSD-3-Clause
// Who is at the other end of a connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <fmap/errors.hpp>

#include "src/remote/stream.hpp"
#include "src/remote/witness.hpp"

namespace fmap::remote {

/// One life of a process that executes items. Not thread-safe. The destructor ends it and waits for that.
class peer {
public:
  peer() = default;
  virtual ~peer() = default;
  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;

  /// Once, first. Throws std::system_error.
  virtual std::unique_ptr<stream> start() = 0;

  /// Sees how far it gets; there since start().
  virtual witness& seen_by() = 0;

  /// How many items it may hold at a time.
  virtual std::uint32_t capacity() const noexcept = 0;

  /// Readable once it has ended; -1 where that cannot be told.
  virtual int end_fd() const noexcept = 0;

  virtual void kill() noexcept = 0;

  /// Asks it to end.
  virtual void terminate() noexcept = 0;

  /// Waits for its end and tells how it came. Keeps no descriptor.
  virtual worker_death reap() = 0;

  /// What was started.
  virtual std::string description() const = 0;

  /// Kills one that may be about to end by itself: it gets a moment for that.
  void kill_if_alive(std::chrono::milliseconds moment) noexcept;
};

}  // namespace fmap::remote
