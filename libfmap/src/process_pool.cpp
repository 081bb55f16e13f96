// SPDX-License-Identifier: BSD-3-Clause
// A pool whose workers are processes of this machine.

#include <stdexcept>
#include <string>

#include <fmap/process_pool.hpp>

#include "actors/wiring.hpp"
#include "src/core/processors.hpp"
#include "src/init.hpp"
#include "src/remote/environment.hpp"

namespace fmap {

namespace {

constexpr std::size_t most_processes = 10'000, most_threads = 1'000;

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument{"fmap: " + why}; }

std::shared_ptr<detail::pool_core> make_core(caf::actor_system& system,
                                             std::shared_ptr<caf::actor_system> owner,
                                             const process_pool_options& options) {
  if (!detail::init_was_called())
    throw std::logic_error{
        "fmap: worker processes run this program's main: call fmap::init(argc, argv) first in it"};
  const std::size_t workers = options.workers.value_or(detail::usable_processors());
  if (workers == 0) refuse("workers must be at least 1");
  if (workers > most_processes)
    refuse("workers is " + std::to_string(workers) + ", more than " + std::to_string(most_processes)
           + " processes are not supported");
  if (options.threads_per_worker == 0) refuse("threads_per_worker must be at least 1");
  if (options.threads_per_worker > most_threads)
    refuse("threads_per_worker is more than " + std::to_string(most_threads));
  if (options.max_items_per_worker && *options.max_items_per_worker == 0)
    refuse("max_items_per_worker must be at least 1");
  if (options.nice < -20 || options.nice > 19)
    refuse("nice is " + std::to_string(options.nice) + ", it goes from -20 to 19");
  if (options.restart_window < std::chrono::nanoseconds::zero())
    refuse("restart_window is negative or not a number");
  for (const std::string& variable : options.environment)
    if (variable.find('=') == std::string::npos || variable.front() == '=')
      refuse("environment: \"" + variable + "\" is not of the form NAME=value");
  remote::process_settings settings;
  settings.threads = static_cast<std::uint32_t>(options.threads_per_worker);
  settings.initializer = options.initializer.name();
  settings.max_items = options.max_items_per_worker;
  settings.restarts = options.restarts;
  settings.restart_window =
      std::min<std::chrono::nanoseconds>(options.restart_window, detail::for_ever);
  settings.environment = remote::environment_with(options.environment);
  settings.nice = options.nice;
  settings.address_space_limit = options.address_space_limit;
  return std::make_shared<actors::process_core>(
      system, std::move(owner), static_cast<std::uint32_t>(workers), std::move(settings));
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

std::size_t process_pool::workers() const noexcept { return core_->workers; }

}  // namespace fmap
