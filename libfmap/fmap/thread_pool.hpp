// SPDX-License-Identifier: BSD-3-Clause
// A pool whose workers are threads of this process.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

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
  /// At least 1. Left out: one for each hardware thread.
  std::optional<std::size_t> workers{};

  /// Runs once in each worker's thread before its first item. If it throws, the pool is broken.
  std::function<void()> initializer{};
};

/// Worker threads. They are started when first needed, one by one, and wait without using the processor
/// when there is nothing to do. Several maps and tasks may run at once; they share the workers' time
/// equally. All members may be called from several threads at once.
class thread_pool {
public:
  /// Throws `std::invalid_argument` if there are to be 0 workers.
  explicit thread_pool(thread_pool_options options = {});
  template <std::integral N>
  explicit thread_pool(N workers)
      : thread_pool{thread_pool_options{.workers = detail::count(workers)}} {}

  /// The same on an actor system of yours, which must outlive the pool and its maps.
  explicit thread_pool(caf::actor_system& system, thread_pool_options options = {});

  /// As shutdown().
  ~thread_pool();

  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  std::size_t workers() const noexcept;

  /// Takes no more work; stops pulling for the maps that are running, and waits until what they had
  /// pulled is finished. Maps may outlive the pool: they hand out what there is and then throw
  /// `pool_shutdown` if their input had more.
  void shutdown();

  const std::shared_ptr<detail::pool_core>& core() const noexcept { return core_; }

private:
  std::shared_ptr<detail::pool_core> core_;
};

}  // namespace fmap
