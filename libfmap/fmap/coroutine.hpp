// SPDX-License-Identifier: BSD-3-Clause
// Coroutines that await futures and return them. They go on in the thread that completed the future.
#pragma once

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

#include <fmap/detail/coroutine_promise.hpp>
#include <fmap/detail/future_awaiter.hpp>
#include <fmap/detail/resume_on.hpp>
#include <fmap/future.hpp>
#include <fmap/thread_pool.hpp>

/// A coroutine may return `fmap::future<T>`. It begins at once, in its caller's thread, so its future is running and
/// cannot be cancelled. Its frame is gone before the future is done, and frees itself on every path. If the frame is
/// destroyed before the coroutine has finished, the future gets `broken_promise`.
///
/// A map over such a function, `fmap::future_map(page, urls, 100)`, has at most 100 of them under way. The map keeps
/// each item, and the function, until the item's future is done, also if the map is left, so the coroutine may take it
/// by reference and use what its lambda captures. Elsewhere a reference parameter outlives its argument, and a lambda
/// its coroutine, only if the caller sees to that. A function that owns the promises of its own futures keeps itself
/// alive until it has completed them.
template <class T, class... Args>
struct std::coroutine_traits<fmap::future<T>, Args...> {
  using promise_type = fmap::detail::coroutine_promise<T>;
};

namespace fmap {

/// `co_await f`: suspends until `f` is done, without a thread that waits. The value as a reference that is good as
/// get()'s is, or throws as get() does. Allocates nothing, and if `f` is done, costs next to nothing.
///
/// The coroutine goes on in the thread that completes the future: that of the task, or of the promise, or whoever
/// cancels. A worker is busy with it until it suspends again; other items wait meanwhile. See resume_on().
///
/// Throws `invalid_state` if `f` refers to no result. The program sees to it that a coroutine that waits is not
/// destroyed by one thread while another completes its future.
template <class T>
auto operator co_await(const future<T>& f) {
  return detail::future_awaiter<T, false>{f};
}

/// `co_await pool.submit(...)`, `co_await std::move(f)`: the same, but gives the value itself. It is moved out of the
/// result if there is no other handle to that; else copied, or if it cannot be copied, taken as by take().
template <class T>
auto operator co_await(future<T>&& f) {
  return detail::future_awaiter<T, true>{std::move(f)};
}

/// `co_await resume_on(pool)`: goes on in a worker of the pool, as a task that is started in its turn. Throws, in the
/// thread that is there already, `pool_shutdown` or `broken_pool` if the pool takes no work; and `cancelled_error` in
/// the one that shuts the pool down with `cancel_futures` before a worker came.
template <class Pool>
auto resume_on(Pool& pool) {
  static_assert(
      std::same_as<Pool, thread_pool>,
      "fmap: a coroutine goes on in a thread of this process: resume_on(pool) takes a thread_pool");
  if constexpr (std::same_as<Pool, thread_pool>)
    return detail::pool_awaiter{pool.core()};
  else
    return detail::nowhere{};
}

/// `co_await resume_on(executor, f)`: awaits `f` and goes on wherever `executor(std::coroutine_handle<>)` resumes it,
/// also if `f` was done. `executor` is called once, in the thread that completes `f`; what it throws is thrown by the
/// co_await there, and it must not have resumed then. Values as from `co_await f`.
template <class Executor, class T>
  requires detail::resumes<Executor>
auto resume_on(Executor&& executor, const future<T>& f) {
  return detail::resume_elsewhere<T, false, Executor>{f, std::forward<Executor>(executor)};
}
template <class Executor, class T>
  requires detail::resumes<Executor>
auto resume_on(Executor&& executor, future<T>&& f) {
  return detail::resume_elsewhere<T, true, Executor>{std::move(f),
                                                     std::forward<Executor>(executor)};
}

/// The same with a pool: goes on in one of its workers. Throws as resume_on(pool), in the thread that completes `f`.
template <class T>
auto resume_on(thread_pool& pool, const future<T>& f) {
  return detail::resume_in_pool<T, false>{f, pool.core()};
}
template <class T>
auto resume_on(thread_pool& pool, future<T>&& f) {
  return detail::resume_in_pool<T, true>{std::move(f), pool.core()};
}

}  // namespace fmap
