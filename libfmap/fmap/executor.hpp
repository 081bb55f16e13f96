// SPDX-License-Identifier: BSD-3-Clause
// What every pool of workers can do: submit, map, shutdown.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>

#include <fmap/detail/api.hpp>
#include <fmap/detail/mistakes.hpp>
#include <fmap/detail/task.hpp>
#include <fmap/detail/zip_input.hpp>
#include <fmap/future.hpp>
#include <fmap/future_map.hpp>
#include <fmap/options.hpp>

namespace fmap {

struct shutdown_options {
  bool wait = true;             ///< return when all work is done; false: at once
  bool cancel_futures = false;  ///< cancel the tasks that have not been started
};

namespace detail {

FMAP_API pool_key key_of(const pool_core&) noexcept;

/// Hands a task to a pool. Throws pool_shutdown or broken_pool.
FMAP_API void submit(pool_core&, task_ptr);

FMAP_API void shut_down(pool_core&, const shutdown_options&);
FMAP_API void shut_down_at_last(pool_core&);

/// Pools as actors; defined in <fmap/actor.hpp>.
template <class Pool, class In, class Fn>
struct pool_handle {
  static_assert(wrong<Pool>, "fmap: pool.handle<In>(fn) makes an actor: include <fmap/actor.hpp>");
};

}  // namespace detail

/// The interface that all pools share: `submit`, `map`, `shutdown`, and being mapped on by future_map.
/// All members may be called from several threads at once. `Pool` derives from it and says how functions
/// become jobs and calls become tasks.
template <class Pool>
class basic_executor {
public:
  basic_executor(const basic_executor&) = delete;
  basic_executor& operator=(const basic_executor&) = delete;

  /// Has a worker call `fn(args...)`, of which it keeps decayed copies, and returns the future of the
  /// result (references decay). Tasks start in the order of their submission, next to the maps that run
  /// on the pool, and are never blocked by them. Throws `pool_shutdown` after shutdown() and `broken_pool`
  /// if an initializer failed.
  template <class Fn, class... Args>
    requires std::invocable<std::decay_t<Fn>, std::decay_t<Args>...>
  auto submit(Fn&& fn, Args&&... args) {
    using result = std::invoke_result_t<std::decay_t<Fn>, std::decay_t<Args>...>;
    using kept = std::conditional_t<std::is_void_v<result>, void, std::remove_cvref_t<result>>;
    auto* t = Pool::template make_task<kept, std::decay_t<Fn>, std::decay_t<Args>...>(
        *core_, std::forward<Fn>(fn), std::forward<Args>(args)...);
    auto f =
        detail::future_access::make<kept>(detail::state_ptr<detail::future_state<kept>>::share(t));
    detail::submit(*core_, detail::task_ptr{t});
    return f;
  }
  template <class Fn, class... Args>
    requires(!std::invocable<std::decay_t<Fn>, std::decay_t<Args>...>)
  detail::no_task<Fn, Args...> submit(Fn&&, Args&&...) { return {}; }

  /// Calls `fn` with one element of each range, as many times as the shortest has elements, and hands out
  /// the results in input order. Lazy and bounded as every future_map; a result whose call threw throws
  /// at its place and ends the iteration.
  template <class Fn, std::ranges::input_range... Ranges>
    requires(sizeof...(Ranges) > 0)
  auto map(Fn&& fn, Ranges&&... ranges) {
    return make_map<false>({.ordered = true}, std::forward<Fn>(fn),
                           std::forward<Ranges>(ranges)...);
  }

  /// The same with options; `ordered` is always on.
  template <class Fn, std::ranges::input_range... Ranges, class Journal = fmap::journal,
            bool Included = requires {
    sizeof(Journal);
  }
  >
    requires(sizeof...(Ranges) > 0)
  auto map(map_options options, Fn&& fn, Ranges&&... ranges) {
    options.ordered = true;
    return make_map<Included>(options, std::forward<Fn>(fn), std::forward<Ranges>(ranges)...);
  }

  /// What neither of them takes, with a message that says how to write it.
  template <class... Args>
    requires(!detail::is_pool_map_call<Args...>)
  detail::no_pool_map<Args...> map(Args&&...) { return {}; }
  template <class Fn, class T, class... Args>
  detail::no_pool_map<Fn, detail::braces> map(Fn&&, std::initializer_list<T>, Args&&...) {
    return {};
  }

  /// The pool as an actor of the system that it was built on: it answers a request In with `fn(in)`, or with
  /// an error if `fn` throws, and works on at most `buffersize` requests at a time. Needs <fmap/actor.hpp>.
  /// Throws `std::logic_error` if the pool was not built on an actor system of yours.
  template <class In, class Fn>
  auto handle(Fn&& fn, const handle_options& options = {}) {
    return detail::pool_handle<Pool, In, std::decay_t<Fn>>::make(core_, std::forward<Fn>(fn),
                                                                 options);
  }

  /// Takes no more work; maps that are running stop pulling. Waits until what was submitted or pulled is
  /// finished, unless told not to; work that goes on is finished and freed in any case. Idempotent.
  ///
  /// A task or a done-callback may call it on its own pool, but not wait for itself: with `wait`, the
  /// shutdown begins and then `would_deadlock` is thrown.
  void shutdown(const shutdown_options& options = {}) { detail::shut_down(*core_, options); }

  const std::shared_ptr<detail::pool_core>& core() const noexcept { return core_; }

private:
  template <bool Included, class Fn, class Range>
  auto make_map(const map_options& options, Fn&& fn, Range&& range) {
    using result = detail::map_result<Pool, Fn, Range>;
    return future_map<result>{
        core_, detail::make_map_job<Pool, Range>(std::forward<Fn>(fn)),
        std::make_unique<detail::range_input<Range>>(std::forward<Range>(range)), options,
        detail::journal_codec_of<Included, detail::item_of<Range>, result>()};
  }
  template <bool Included, class Fn, class... Ranges>
    requires(sizeof...(Ranges) > 1)
  auto make_map(const map_options& options, Fn&& fn, Ranges&&... ranges) {
    using function = detail::spread<std::decay_t<Fn>>;
    using items = std::tuple<detail::item_of<Ranges>...>;
    static_assert(detail::require_callable_with<function, items>());
    using result = detail::result_of<function, items>;
    return future_map<result>{
        core_, Pool::template make_job<items, function>(function{std::forward<Fn>(fn)}),
        std::make_unique<detail::zip_input<Ranges...>>(std::forward<Ranges>(ranges)...), options,
        detail::journal_codec_of<Included, items, result>()};
  }

protected:
  basic_executor() = default;

  /// As shutdown(); from inside a task of its own it does not wait.
  ~basic_executor() {
    if (core_) detail::shut_down_at_last(*core_);
  }

  std::shared_ptr<detail::pool_core> core_;
};

namespace detail {

/// What the concept is checked with.
struct probe {
  int operator()(int x) const { return x; }
};

}  // namespace detail

/// Any pool: `thread_pool`, `process_pool`. Code written against it runs on all of them.
template <class Pool>
concept executor = detail::pool_like<Pool> && requires(Pool& pool, detail::probe fn,
                                                       int (&items)[1]) {
  { pool.submit(fn, 1) } -> std::same_as<future<int>>;
  { pool.map(fn, items) } -> std::same_as<future_map<int>>;
  pool.shutdown();
};

}  // namespace fmap
