// SPDX-License-Identifier: BSD-3-Clause
// A pool whose workers are processes of this machine.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmap/detail/api.hpp>
#include <fmap/detail/duration.hpp>
#include <fmap/detail/function.hpp>
#include <fmap/detail/travelling_task.hpp>
#include <fmap/executor.hpp>
#include <fmap/fn.hpp>
#include <fmap/init.hpp>
#include <fmap/remote_error.hpp>
#include <fmap/thread_pool.hpp>
#include <fmap/wire.hpp>

namespace fmap {

/// Something to be done once in each worker process: any callable without state and arguments.
class process_initializer {
public:
  process_initializer() = default;

  template <class Fn>
    requires(!std::same_as<std::decay_t<Fn>, process_initializer>)
  process_initializer(Fn&&)  // implicit: .initializer = [] { ... }
      : key_{key<std::decay_t<Fn>>} {
    static_assert(detail::stateless_function<std::decay_t<Fn>>,
                  "fmap: an initializer of worker processes is a lambda without captures, a struct "
                  "without members, or fmap::fn<&function>");
    static_assert(std::invocable<std::decay_t<Fn>>, "fmap: an initializer takes no arguments");
  }

  /// Its name in the worker process; empty if there is none.
  std::string_view name() const noexcept { return key_; }

private:
  template <class Fn>
  static void call() {
    detail::invoke(detail::make_stateless<Fn>());
  }
  template <class Fn>
  inline static const std::string_view key =
      detail::registry<void (*)()>::add(typeid(Fn), &process_initializer::call<Fn>);

  std::string_view key_;
};

struct process_pool_options {
  /// Number of processes, at least 1. Left out: one for each processor that this process may use, as its
  /// affinity mask and its control group's quota have it.
  std::optional<std::size_t> workers{};

  /// Threads that apply functions in each process, at least 1.
  std::size_t threads_per_worker = 1;

  /// Runs once in each process before its first item, in the thread that runs the item. If it throws,
  /// the pool is broken.
  process_initializer initializer{};

  /// A process is replaced by a new one after exactly this number of items. Left out: never.
  std::optional<std::size_t> max_items_per_worker{};

  /// This number of deaths outside any item (at start-up, in the initializer, idle) within the window is
  /// made good; with one more the pool is broken.
  std::size_t restarts = 5;
  detail::any_duration restart_window = std::chrono::seconds{10};

  /// "NAME=value", added to the environment of this process, which is copied when the pool is made.
  std::vector<std::string> environment{};

  /// Added to the niceness of this process, as nice(2) does: -20 to 19. If that is not permitted, the pool is
  /// broken.
  int nice = 0;

  /// Bytes of address space for each process, as setrlimit(2) has it. Left out: no limit of its own.
  std::optional<std::size_t> address_space_limit{};

  /// As those of thread_pool_options.
  std::optional<std::size_t> max_workers{};
  detail::any_duration idle_timeout = std::chrono::seconds{10};
};

/// Worker processes. They run this program's own executable (so `main` must call `fmap::init` first) and
/// talk over inherited sockets; no port is opened. Functions travel by name, values through fmap/wire.hpp;
/// what cannot travel is refused when the program is compiled.
///
/// A process that dies costs only time: what it had sent back is kept, the item that it was running is
/// charged an attempt and tried again alone, everything else it held goes to others, and it is replaced.
/// Executing an item again means that the function may run more than once for it; `max_attempts = 1`
/// turns that off. Processes are started when first needed. They end with the pool, and at once when this
/// process ends, however it does. SIGINT, SIGTERM and SIGHUP are for this process to act upon: in its workers they
/// do nothing. Their standard input is /dev/null.
///
/// A process that cannot be started for want of descriptors, processes or memory is tried again after a while; others
/// go on meanwhile. If none works and more than `restarts` tries have failed, the pool is broken.
class FMAP_API process_pool : public basic_executor<process_pool> {
public:
  /// Throws `std::logic_error` if `fmap::init` has not been called, `std::invalid_argument` for options
  /// that make no sense.
  explicit process_pool(const process_pool_options& options = {});
  template <std::integral N>
  explicit process_pool(N workers)
      : process_pool{process_pool_options{.workers = detail::count(workers)}} {}

  /// The same with its actors on a system of yours, which must outlive the pool and its maps.
  explicit process_pool(caf::actor_system& system, const process_pool_options& options = {});

  /// How many workers there are to be: as many as were asked for, here or with resize().
  std::size_t workers() const noexcept;

  /// There are to be this many processes from now on. Returns at once: new ones are started as there is work for them,
  /// and those that are too many end after the items that they are executing; idle ones first. Any thread may call it
  /// at any time, a done-callback too. Maps keep the bounds that they were given; bounds that were left open grow with
  /// the pool. Throws `std::invalid_argument` for 0, `pool_shutdown` after shutdown(),
  /// `broken_pool` if the pool is broken.
  void resize(std::size_t workers);
  template <std::integral N>
  void resize(N workers) {
    resize(detail::count(workers));
  }

  /// Ends the worker processes by SIGKILL, whatever they are doing, and returns without waiting for that. The pool
  /// is shut down: tasks that have not been started are cancelled, those that run and all items of maps end with
  /// `broken_pool`, and nothing new is taken.
  void kill_workers();

  /// The same, but each process may act upon it: it gets SIGTERM, which does nothing there unless an initializer or
  /// an item has set a handler, and its connection is closed, upon which it exits. After 5 seconds it is killed.
  void terminate_workers();

private:
  friend basic_executor;
  template <class P, class In, class Fn>
  friend std::shared_ptr<detail::job> detail::make_pool_job(Fn);

  template <class In, class Fn>
  static std::shared_ptr<detail::job> make_job(Fn fn) {
    return std::make_shared<detail::travelling_job<In, Fn>>(std::move(fn));
  }

  template <class R, class Fn, class... Args, class... Given>
  static auto* make_task(const detail::pool_core&, Given&&... given) {
    return new detail::travelling_task<R, Fn, Args...>(std::forward<Given>(given)...);
  }
};

}  // namespace fmap
