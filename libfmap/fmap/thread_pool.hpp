// SPDX-License-Identifier: BSD-3-Clause
// A pool whose workers are threads of this process.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include <fmap/detail/api.hpp>
#include <fmap/detail/duration.hpp>
#include <fmap/detail/function.hpp>
#include <fmap/executor.hpp>

namespace caf {
class actor_system;
}

namespace fmap {

namespace detail {

/// A number of workers; negative ones count as none, which is refused.
constexpr std::size_t count(std::integral auto n) {
  return std::cmp_less(n, 0) ? 0 : static_cast<std::size_t>(n);
}

}  // namespace detail

struct thread_pool_options {
  /// At least 1. Left out: one for each processor that this process may use, as its affinity mask and its
  /// control group's quota have it.
  std::optional<std::size_t> workers{};

  /// Runs once in each worker's thread before its first item. If it throws, the pool is broken.
  std::function<void()> initializer{};

  /// Not less than `workers`: the pool may grow to as many, one worker each 5 milliseconds, while items wait and at
  /// least half a processor is idle (on average over 50 milliseconds): then the workers sleep inside of their items.
  /// Left out: it has `workers`.
  std::optional<std::size_t> max_workers{};

  /// A pool that has grown looks for this long how many of its workers are idle all the time; so many leave then.
  detail::any_duration idle_timeout = std::chrono::seconds{10};
};

namespace detail {

/// Pools as executors of Asio's; defined in <fmap/asio.hpp>.
template <class Pool>
struct executor_for_asio {
  static_assert(wrong<Pool>,
                "fmap: pool.executor() is an executor of Asio's: include <fmap/asio.hpp>");
};

/// The inside of a thread_pool on a user's system. Throws std::invalid_argument.
FMAP_API std::shared_ptr<pool_core> make_thread_core(caf::actor_system&, thread_pool_options);

}  // namespace detail

/// Worker threads. They are started when first needed, one by one, and wait without using the processor
/// when there is nothing to do. Several maps and tasks may run at once; they share the workers' time
/// equally. The destructor shuts down and waits.
///
/// A task may wait for its own pool. What it waits for is run right there if nobody has begun it;
/// otherwise another worker is started for as long as the task waits, so that the pool never stands still.
/// A task that waits for its own result gets `would_deadlock`; two that wait for each other wait for ever.
class FMAP_API thread_pool : public basic_executor<thread_pool> {
public:
  /// Throws `std::invalid_argument` if there are to be 0 workers.
  explicit thread_pool(thread_pool_options options = {});
  template <std::integral N>
  explicit thread_pool(N workers)
      : thread_pool{thread_pool_options{.workers = detail::count(workers)}} {}

  /// The same on an actor system of yours, which must outlive the pool and its maps.
  explicit thread_pool(caf::actor_system& system, thread_pool_options options = {});

  /// How many workers there are to be: as many as were asked for, here or with resize().
  std::size_t workers() const noexcept;

  /// There are to be this many threads from now on. Returns at once: new ones are started as there is work for them,
  /// and those that are too many end after the batch that they are executing. Any thread may call it at any time, a
  /// task of the pool too. Maps keep the bounds that they were given; bounds that were left open grow with the pool.
  /// Throws `std::invalid_argument` for 0, `pool_shutdown` after shutdown(),
  /// `broken_pool` if the pool is broken.
  void resize(std::size_t workers);
  template <std::integral N>
  void resize(N workers) {
    resize(detail::count(workers));
  }

  /// The pool as an executor of Asio's. Needs <fmap/asio.hpp>.
  template <class Pool = thread_pool>
  auto executor() const noexcept {
    return detail::executor_for_asio<Pool>::of(*this);
  }

private:
  friend basic_executor;
  template <class P, class In, class Fn>
  friend std::shared_ptr<detail::job> detail::make_pool_job(Fn);

  template <class In, class Fn>
  static std::shared_ptr<detail::job> make_job(Fn fn) {
    return std::make_shared<detail::applying_job<In, Fn>>(std::move(fn));
  }

  template <class R, class Fn, class... Args, class... Given>
  static auto* make_task(const detail::pool_core& core, Given&&... given) {
    return new detail::bound_task<R, Fn, Args...>(detail::key_of(core),
                                                  std::forward<Given>(given)...);
  }
};

}  // namespace fmap
