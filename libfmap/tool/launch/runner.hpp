// SPDX-License-Identifier: BSD-3-Clause
// Who does what is to be done for items.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include <fmap/future.hpp>

#include "tool/launch/job.hpp"

namespace fmap::tool {

/// What runs, for those who look on.
struct overview {
  std::size_t running = 0;
  std::size_t jobs = 0;
  std::string oldest;  // the item that has run longest
  std::chrono::steady_clock::time_point oldest_began;
};

/// A command for each item (`launcher`), or commands that stay (`coprocesses`).
class runner {
public:
  runner() = default;
  runner(const runner&) = delete;
  runner& operator=(const runner&) = delete;
  virtual ~runner() = default;

  /// Has it done as soon as a slot is free.
  virtual future<job_ptr> run(item i) = 0;

  /// To be called when a job that was handed over has been written.
  virtual void written() = 0;

  /// To be called when the input has ended.
  virtual void input_ended() {}

  /// Waits for what is left when all jobs have been written.
  virtual void finish() {}

  /// SIGTERM to what runs, later SIGKILL; nothing is read or begun any more.
  virtual void terminate() = 0;

  /// The first signal that asked for the end; 0 if none did.
  virtual int signal() const = 0;

  /// Why the run ends before its input: --halt, --deadline.
  enum class stop { none, halted, halted_well, deadline };
  virtual stop stopped() const = 0;

  virtual overview look() const = 0;

  /// Whether some outputs may be those of other items.
  virtual bool in_doubt() const { return false; }
};

}  // namespace fmap::tool
