// SPDX-License-Identifier: BSD-3-Clause
// What every pool of workers can do: submit, shutdown.

#include <algorithm>
#include <stdexcept>
#include <string>

#include <fmap/detail/duration.hpp>
#include <fmap/executor.hpp>

#include "actors/pool_core.hpp"
#include "src/kernel/pool_port.hpp"

namespace fmap {

detail::pool_key detail::key_of(const pool_core& pool) noexcept { return pool.box.get(); }

void detail::pool_core::check_not_forked() const {
  if (forked())
    throw broken_pool{std::make_exception_ptr(error{
        "fmap: the pool belongs to the process that this one was forked from; make a new one"})};
}

void detail::pool_core::resize(std::uint32_t workers) {
  check_not_forked();
  const std::lock_guard guard{resizing_};
  actors::pool_port{*box}.resize(workers);
  workers_.store(workers, std::memory_order_relaxed);
}

void detail::pool_core::set_limits(std::optional<std::uint32_t> most,
                                   std::chrono::nanoseconds idle_timeout) {
  if (idle_timeout <= std::chrono::nanoseconds::zero())
    throw std::invalid_argument{"fmap: idle_timeout must be positive"};
  if (!most) return;
  if (*most < workers())
    throw std::invalid_argument{"fmap: max_workers (" + std::to_string(*most)
                                + ") is less than workers (" + std::to_string(workers()) + ")"};
  actors::pool_port{*box}.set_limits({workers(), *most, std::min(idle_timeout, for_ever)});
}

void detail::submit(pool_core& pool, task_ptr t) {
  pool.check_not_forked();
  actors::pool_port{*pool.box}.push(std::move(t));
}

void detail::shut_down(pool_core& pool, const shutdown_options& options) {
  if (pool.forked()) return;
  actors::pool_port port{*pool.box};
  port.shut_down();
  if (options.cancel_futures) port.cancel_tasks();
  if (!options.wait) return;
  if (pool.from_inside())
    throw would_deadlock{
        "fmap: a task cannot wait for the shutdown of its own pool; the shutdown has begun, use "
        "shutdown({.wait = false})"};
  port.wait_until_left();
}

void detail::shut_down_at_last(pool_core& pool) { shut_down(pool, {.wait = !pool.from_inside()}); }

}  // namespace fmap
