// SPDX-License-Identifier: BSD-3-Clause
// A pool of threads as Asio's executors are.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <fmap/detail/asio.hpp>
#include <fmap/detail/task.hpp>
#include <fmap/thread_pool.hpp>

namespace fmap::detail {

/// A function that was posted. What it throws ends the program, as in Asio's own pool.
template <class Fn>
class posted_task final : public task {
public:
  template <class F>
  explicit posted_task(F&& fn) : fn_{std::in_place, std::forward<F>(fn)} {}

  void run() noexcept override {
    Fn fn(std::move(*fn_));
    fn_.reset();
    std::move(fn)();
  }
  void refuse(const std::exception_ptr&) noexcept override {}
  void cancel() noexcept override {}
  void release() noexcept override { delete this; }

private:
  std::optional<Fn> fn_;
};

/// Where the services of operations on pools are. Never destroyed, as all that fmap keeps in statics.
inline asio::execution_context& context_of_pools() {
  static auto& context = *new asio::execution_context;
  return context;
}

}  // namespace fmap::detail

namespace fmap {

/// A thread_pool as an executor of Asio's: what `pool.executor()` gives. Copies are equal and cost little; executors of
/// one pool compare equal. It does not keep the pool alive: after its shutdown functions are refused with `pool_shutdown`.
/// Nothing runs inside execute(); functions are tasks of the pool, which are started in their turn, and what they throw
/// ends the program. Those that a shutdown with `cancel_futures` finds waiting are destroyed.
class pool_executor {
public:
  explicit pool_executor(std::shared_ptr<detail::pool_core> pool) noexcept
      : pool_{std::move(pool)} {}

  template <class Fn>
  void execute(Fn&& fn) const {
    detail::submit(
        *pool_, detail::task_ptr{new detail::posted_task<std::decay_t<Fn>>(std::forward<Fn>(fn))});
  }

  detail::asio::execution_context& query(detail::asio::execution::context_t) const noexcept {
    return detail::context_of_pools();
  }
  static constexpr detail::asio::execution::blocking_t query(
      detail::asio::execution::blocking_t) noexcept {
    return detail::asio::execution::blocking.never;
  }
  pool_executor require(detail::asio::execution::blocking_t::never_t) const noexcept {
    return *this;
  }

  friend bool operator==(const pool_executor& a, const pool_executor& b) noexcept {
    return a.pool_ == b.pool_;
  }
  friend bool operator!=(const pool_executor& a, const pool_executor& b) noexcept {
    return a.pool_ != b.pool_;
  }

private:
  std::shared_ptr<detail::pool_core> pool_;
};

template <>
struct detail::executor_for_asio<thread_pool> {
  static pool_executor of(const thread_pool& pool) noexcept { return pool_executor{pool.core()}; }
};

}  // namespace fmap
