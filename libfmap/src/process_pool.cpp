// SPDX-License-Identifier: BSD-3-Clause
// A pool whose workers are processes of this machine.

#include <stdexcept>
#include <string>

#include <fmap/process_pool.hpp>

#include "actors/wiring.hpp"
#include "src/core/processors.hpp"
#include "src/init.hpp"
#include "src/process_options.hpp"

namespace fmap {

namespace {

constexpr std::size_t most_processes = 10'000;

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument{"fmap: " + why}; }

std::uint32_t checked_workers(std::size_t n) {
  if (n == 0) refuse("workers must be at least 1");
  if (n > most_processes)
    refuse("workers is " + std::to_string(n) + ", more than " + std::to_string(most_processes)
           + " processes are not supported");
  return static_cast<std::uint32_t>(n);
}

std::shared_ptr<detail::pool_core> make_core(caf::actor_system& system,
                                             std::shared_ptr<caf::actor_system> owner,
                                             const process_pool_options& options) {
  if (!detail::init_was_called())
    throw std::logic_error{
        "fmap: worker processes run this program's main: call fmap::init(argc, argv) first in it"};
  const auto workers = checked_workers(options.workers.value_or(detail::usable_processors()));
  auto core = std::make_shared<actors::process_core>(system, std::move(owner), workers,
                                                     settings_of(options));
  core->set_limits(options.max_workers ? std::optional{checked_workers(*options.max_workers)}
                                       : std::nullopt,
                   options.idle_timeout);
  return core;
}

}  // namespace

process_pool::process_pool(const process_pool_options& options) {
  auto system = actors::default_system();
  auto& s = *system;
  core_ = make_core(s, std::move(system), options);
}

process_pool::process_pool(caf::actor_system& system, const process_pool_options& options) {
  core_ = make_core(system, nullptr, options);
}

namespace {

/// What another process has forked is not this one's to end.
void end_workers(detail::pool_core& core, remote::process_shared::ending how, const char* why) {
  if (!core.forked()) static_cast<actors::process_core&>(core).end_workers(how, why);
}

}  // namespace

void process_pool::kill_workers() {
  end_workers(*core_, remote::process_shared::ending::kill,
              "fmap: the pool's worker processes were ended by kill_workers()");
}

void process_pool::terminate_workers() {
  end_workers(*core_, remote::process_shared::ending::terminate,
              "fmap: the pool's worker processes were ended by terminate_workers()");
}

void process_pool::resize(std::size_t workers) { core_->resize(checked_workers(workers)); }

std::size_t process_pool::workers() const noexcept { return core_->workers(); }

}  // namespace fmap
