// SPDX-License-Identifier: BSD-3-Clause
// Frames from a worker process to its pool.
#pragma once

#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <unistd.h>

#include "src/remote/connection.hpp"

namespace fmap::remote {

/// An exception for the other side, which learns where it was thrown.
std::string encode_here(const std::exception_ptr&);

/// Writes to the pool, for all threads of a worker process. Once the pool is gone the process ends, or does whatever
/// else `gone` does, which does not return.
class uplink {
public:
  /// Uses a copy of the descriptor.
  explicit uplink(int fd);
  explicit uplink(std::unique_ptr<stream> bytes, void (*gone)() = end_process);

  /// Gathers frames; they leave with the next flush() at the latest.
  template <class Frame>
  void post(const Frame& frame, std::string_view body = {}) {
    check_process();
    std::lock_guard guard{mutex_};
    if (!line_.write(frame, body)) gone();
  }
  void flush();

  /// The same, unless somebody is writing just now.
  template <class Frame>
  void send_if_idle(const Frame& frame) {
    check_process();
    std::unique_lock lock{mutex_, std::try_to_lock};
    if (lock.owns_lock() && (!line_.write(frame, {}) || !line_.flush_all())) gone();
  }

  template <class Frame>
  void send(const Frame& frame, std::string_view body = {}) {
    post(frame, body);
    flush();
  }

  /// The pool is gone.
  [[noreturn]] void gone() const {
    gone_();
    std::abort();
  }

private:
  static void end_process() { ::_exit(0); }
  void check_process() const;

  void (*const gone_)() = end_process;

  const pid_t process_ = ::getpid();
  std::mutex mutex_;
  connection line_;
};

}  // namespace fmap::remote
