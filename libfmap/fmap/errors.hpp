// SPDX-License-Identifier: BSD-3-Clause
// What fmap throws.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include <fmap/detail/api.hpp>
#include <fmap/detail/duration.hpp>

namespace fmap {

/// Base class of all errors that fmap itself reports. What the user's function throws is passed on
/// unchanged; bad arguments are `std::invalid_argument`.
class FMAP_API error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A deadline passed before there was a result.
class FMAP_API timeout_error : public error {
  using error::error;
};

/// The future was cancelled.
class FMAP_API cancelled_error : public error {
  using error::error;
};

/// The pool has been shut down.
class FMAP_API pool_shutdown : public error {
  using error::error;
};

/// Waiting here would never end: the thing waited for needs the thread that waits.
class FMAP_API would_deadlock : public error {
  using error::error;
};

/// A future or promise was used in a state that does not allow it.
class FMAP_API invalid_state : public error {
  using error::error;
};

/// A promise was destroyed without a value or an error.
class FMAP_API broken_promise : public error {
  using error::error;
};

/// A function over batches (see on_batches()) returned without an outcome for the item.
class FMAP_API not_delivered : public error {
  using error::error;
};

/// The pool's workers cannot be brought up; it does no more work.
class FMAP_API broken_pool : public error {
public:
  explicit broken_pool(std::exception_ptr cause);

  /// What broke the pool, for example what the initializer threw.
  const std::exception_ptr& cause() const noexcept { return cause_; }

private:
  std::exception_ptr cause_;
};

/// What is known about a worker process that died.
struct worker_death {
  int signal = 0;      ///< what killed it; 0 if nothing did
  int exit_code = 0;   ///< what it exited with; negative if only the connection to it was lost
  std::string host{};  ///< where it ran
  int pid = 0;
  std::string reason{};  ///< more that is known, such as "by the out-of-memory killer"
};

/// The worker process died while it ran the item, in each of `attempts()` attempts.
class FMAP_API worker_lost : public error {
public:
  worker_lost(std::uint64_t index, std::uint32_t attempts, worker_death death);

  /// The same for a submitted task.
  worker_lost(std::uint32_t attempts, worker_death death);

  /// The item's place in the input; 0 for a task.
  std::uint64_t index() const noexcept { return index_; }

  /// How often the item was begun.
  std::uint32_t attempts() const noexcept { return attempts_; }

  /// What killed the process in the last attempt, such as SIGSEGV; 0 if it exited.
  int signal() const noexcept { return death_->signal; }

  /// What it exited with in the last attempt; 0 if a signal killed it, negative if that is unknown.
  int exit_code() const noexcept { return death_->exit_code; }

  /// Where it ran.
  const std::string& host() const noexcept { return death_->host; }
  int pid() const noexcept { return death_->pid; }

  /// All of it.
  const worker_death& death() const noexcept { return *death_; }

private:
  std::uint64_t index_;
  std::uint32_t attempts_;
  std::shared_ptr<const worker_death> death_;
};

/// The item ran longer than `item_timeout` allows, and its process was killed.
class FMAP_API item_timeout : public error {
public:
  item_timeout(std::uint64_t index, std::chrono::nanoseconds limit);

  /// The item's place in the input.
  std::uint64_t index() const noexcept { return index_; }

private:
  std::uint64_t index_;
};

namespace detail {

/// An error of an item as that of a task, which has no place in an input.
FMAP_API std::exception_ptr error_of_task(const std::exception_ptr&);

/// How a process died, for people: "worker process 4711 on HOST was killed by SIGSEGV".
FMAP_API std::string describe(const worker_death&);

/// The text of an exception. The one place where its what() is read: a user's class may return null.
FMAP_API std::string what_of(const std::exception&);

/// The same of any exception; a placeholder if it is not a std::exception, or if there is no memory for it.
FMAP_API std::string describe(const std::exception_ptr&) noexcept;

}  // namespace detail

}  // namespace fmap
