// SPDX-License-Identifier: BSD-3-Clause
// Coroutines that go on somewhere else: in a worker of a pool, or where an executor of the user's says.
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <memory>
#include <utility>

#include <fmap/detail/future_awaiter.hpp>
#include <fmap/detail/mistakes.hpp>
#include <fmap/detail/task.hpp>
#include <fmap/executor.hpp>
#include <fmap/thread_pool.hpp>

namespace fmap::detail {

template <class Executor>
concept resumes = std::invocable < std::decay_t<Executor>
&, std::coroutine_handle < >> ;

/// A task that has a coroutine go on, in whose frame it lies. Released is what happens to a task last, whoever
/// has run, refused or cancelled it: the frame may be gone then.
class resuming_task : public task {
public:
  /// `this` may be gone when it returns. Throws pool_shutdown and broken_pool, and then does not resume.
  void send(std::shared_ptr<pool_core> to, std::coroutine_handle<> coroutine) {
    coroutine_ = coroutine;
    submit(*to,
           task_ptr{this});  // the coroutine may destroy the pool: `to` is on this thread's stack
  }

  void run() noexcept final { told_ = true; }
  void refuse(const std::exception_ptr& why) noexcept final {
    error_ = why;
    told_ = true;
  }
  void cancel() noexcept final {
    refuse(std::make_exception_ptr(
        cancelled_error{"fmap: the pool was shut down before a worker resumed the coroutine"}));
  }
  void release() noexcept final {
    if (told_) coroutine_.resume();
  }

  /// In the coroutine: whether it was to go on.
  void check() const {
    if (error_) std::rethrow_exception(error_);
  }

protected:
  ~resuming_task() = default;

private:
  std::coroutine_handle<> coroutine_;
  std::exception_ptr error_;
  bool told_ = false;
};

/// `co_await resume_on(pool)`.
class pool_awaiter final : public resuming_task {
public:
  explicit pool_awaiter(const std::shared_ptr<pool_core>& pool) noexcept : pool_{pool} {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) { send(pool_, coroutine); }
  void await_resume() const { check(); }

private:
  const std::shared_ptr<pool_core>& pool_;
};

/// Hands coroutines to a pool.
class pool_sender {
public:
  explicit pool_sender(std::shared_ptr<pool_core> pool) noexcept : pool_{std::move(pool)} {}

  /// All of this may be gone when it returns, unless it throws.
  void send(std::coroutine_handle<> coroutine) { task_.send(std::move(pool_), coroutine); }
  void check() const { task_.check(); }

private:
  class mine final : public resuming_task {};

  std::shared_ptr<pool_core> pool_;
  mine task_;
};

/// Hands coroutines to a function of the user's.
template <class Executor>
class executor_sender {
public:
  explicit executor_sender(Executor to) : to_{std::move(to)} {}

  void send(std::coroutine_handle<> coroutine) {
    Executor to = std::move(
        to_);  // the coroutine, and this in its frame, may be gone before the call returns
    detail::invoke(to, coroutine);
  }
  void check() const noexcept {}

private:
  Executor to_;
};

/// `co_await resume_on(executor, f)`: waits for the future, then goes on where the sender sends it; there, too, if the
/// future was done.
template <class T, bool Owns, class Sender>
class sending_awaiter final : public awaited_future<T, Owns> {
public:
  template <class Future, class To>
  sending_awaiter(Future&& f, To&& to)
      : awaited_future<T, Owns>{std::forward<Future>(f)}, sender_{std::forward<To>(to)} {}

  bool await_ready() const noexcept { return false; }

  /// What the sender throws reaches the coroutine.
  void await_suspend(std::coroutine_handle<> coroutine) {
    if (!this->wait(coroutine)) sender_.send(coroutine);
  }

  void notify(future_state_base&) noexcept override {
    const std::coroutine_handle<> coroutine = this->woken();
    if (std::exception_ptr error = sent(coroutine)) {
      error_ = std::move(error);
      coroutine.resume();
    }
  }

  decltype(auto) await_resume() {
    if (error_) std::rethrow_exception(error_);
    sender_.check();
    return awaited_future<T, Owns>::await_resume();
  }

private:
  /// Null, and this may be gone; or why not.
  std::exception_ptr sent(std::coroutine_handle<> coroutine) noexcept {
    try {
      sender_.send(coroutine);
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  }

  Sender sender_;
  std::exception_ptr error_;
};

template <class T, bool Owns>
using resume_in_pool = sending_awaiter<T, Owns, pool_sender>;
template <class T, bool Owns, class Executor>
using resume_elsewhere = sending_awaiter<T, Owns, executor_sender<std::decay_t<Executor>>>;

/// What resume_on() does not take.
struct nowhere {
  bool await_ready() const noexcept;
  void await_suspend(std::coroutine_handle<>) const noexcept;
  void await_resume() const noexcept;
};

}  // namespace fmap::detail
