// SPDX-License-Identifier: BSD-3-Clause
// What fmap throws.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

namespace fmap {

/// Base class of all errors that fmap itself reports. What the user's function throws is passed on
/// unchanged; bad arguments are `std::invalid_argument`.
class error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A deadline passed before there was a result.
class timeout_error : public error {
  using error::error;
};

/// The future was cancelled.
class cancelled_error : public error {
  using error::error;
};

/// The pool has been shut down.
class pool_shutdown : public error {
  using error::error;
};

/// Waiting here would never end: the thing waited for needs the thread that waits.
class would_deadlock : public error {
  using error::error;
};

/// A future or promise was used in a state that does not allow it.
class invalid_state : public error {
  using error::error;
};

/// A promise was destroyed without a value or an error.
class broken_promise : public error {
  using error::error;
};

/// The pool's workers cannot be brought up; it does no more work.
class broken_pool : public error {
public:
  explicit broken_pool(std::exception_ptr cause);

  /// What broke the pool, for example what the initializer threw.
  const std::exception_ptr& cause() const noexcept { return cause_; }

private:
  std::exception_ptr cause_;
};

namespace detail {

/// The `what()` of an exception, or a placeholder if it is not a std::exception.
std::string describe(const std::exception_ptr&);

}  // namespace detail

}  // namespace fmap
