// SPDX-License-Identifier: BSD-3-Clause
// A pool whose workers are threads of this process.

#include <algorithm>
#include <stdexcept>
#include <string>

#include <fmap/thread_pool.hpp>

#include "actors/wiring.hpp"
#include "src/core/processors.hpp"

namespace fmap {

namespace {

constexpr std::size_t most_workers = 100'000;

std::uint32_t checked_workers(std::size_t n) {
  if (n == 0) throw std::invalid_argument{"fmap: workers must be at least 1"};
  if (n > most_workers)
    throw std::invalid_argument{"fmap: workers is " + std::to_string(n) + ", more than "
                                + std::to_string(most_workers) + " threads are not supported"};
  return static_cast<std::uint32_t>(n);
}

std::uint32_t checked_workers(const thread_pool_options& options) {
  return checked_workers(options.workers.value_or(detail::usable_processors()));
}

template <class Core>
std::shared_ptr<detail::pool_core> make_core(caf::actor_system& system,
                                             std::shared_ptr<caf::actor_system> owner,
                                             thread_pool_options options) {
  auto core = std::make_shared<Core>(system, std::move(owner), checked_workers(options),
                                     std::move(options.initializer));
  core->set_limits(options.max_workers ? std::optional{checked_workers(*options.max_workers)}
                                       : std::nullopt,
                   options.idle_timeout);
  return core;
}

template <class Core>
std::shared_ptr<detail::pool_core> own_core(thread_pool_options options) {
  auto system = actors::default_system();
  auto& s = *system;
  return make_core<Core>(s, std::move(system), std::move(options));
}

/// A bound as a number of threads.
std::uint32_t threads_for(std::uint64_t buffersize) {
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(buffersize, 1, most_workers));
}

}  // namespace

thread_pool::thread_pool(thread_pool_options options) {
  core_ = own_core<actors::thread_core>(std::move(options));
}

std::shared_ptr<detail::pool_core> detail::make_thread_core(caf::actor_system& system,
                                                            thread_pool_options options) {
  return make_core<actors::thread_core>(system, nullptr, std::move(options));
}

thread_pool::thread_pool(caf::actor_system& system, thread_pool_options options) {
  core_ = detail::make_thread_core(system, std::move(options));
}

std::shared_ptr<detail::pool_core> detail::make_waiting_core(std::size_t buffersize) {
  return own_core<actors::waiting_core>({.workers = threads_for(buffersize)});
}

void actors::waiting_core::bound_changed(std::uint64_t buffersize) {
  try {
    resize(threads_for(buffersize));
  } catch (const error&) {}  // the pool is broken, which the map says to who iterates
}

void thread_pool::resize(std::size_t workers) { core_->resize(checked_workers(workers)); }

std::size_t thread_pool::workers() const noexcept { return core_->workers(); }

}  // namespace fmap
