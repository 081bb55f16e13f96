// SPDX-License-Identifier: BSD-3-Clause
// What is left of a pool in a process that was forked from the pool's: nothing.
#pragma once

#include <fmap/detail/job.hpp>

namespace fmap::kernel {

/// How often a process was forked on the way to this one, since the first call.
unsigned forks() noexcept;

/// Remembers the process that made it. In one that was forked from it there are none of the other threads: nobody is
/// there to wait for, and whatever they had locked stays so.
class home_process {
public:
  /// Whether this is another process.
  bool left() const noexcept { return forks() != forks_before_; }

private:
  unsigned forks_before_ = forks();
};

/// While this lives its thread runs a batch. If an item forks, the batch ends with that item in the new process.
class batch_at_work {
public:
  explicit batch_at_work(detail::progress&) noexcept;
  ~batch_at_work();
  batch_at_work(const batch_at_work&) = delete;
  batch_at_work& operator=(const batch_at_work&) = delete;

private:
  detail::progress* const before_;
};

}  // namespace fmap::kernel
