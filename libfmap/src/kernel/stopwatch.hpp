// SPDX-License-Identifier: BSD-3-Clause
// How long a thread was at something, whatever else the processor did meanwhile.
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>

#include <sys/resource.h>

namespace fmap::kernel {

/// Runs from its making, for the thread that makes and reads it.
class stopwatch {
public:
  /// `careful`: looks at what others took meanwhile, too, with two system calls at either end.
  explicit stopwatch(bool careful) : careful_{careful} {}

  /// The time that has passed; but if it is careful and the thread did not wait for anything, only that
  /// which the processor gave it: what others took says nothing about the work.
  std::chrono::nanoseconds read(std::chrono::steady_clock::time_point now) const {
    const std::chrono::nanoseconds passed = now - begun_;
    return careful_ && switches() == switches_
               ? std::min(passed, processor_time() - processor_begun_)
               : passed;
  }

private:
  static std::chrono::nanoseconds processor_time() {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
  }
  static long switches() {
    rusage use{};
    ::getrusage(RUSAGE_THREAD, &use);
    return use.ru_nvcsw;
  }

  const bool careful_;
  const long switches_ = careful_ ? switches() : 0;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds processor_begun_ =
      careful_ ? processor_time() : std::chrono::nanoseconds{};
};

}  // namespace fmap::kernel
