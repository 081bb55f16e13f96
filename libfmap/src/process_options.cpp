// SPDX-License-Identifier: BSD-3-Clause
// What the options of worker processes mean.

#include "src/process_options.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "src/remote/environment.hpp"

namespace fmap {

namespace {

constexpr std::size_t most_threads = 1'000;

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument{"fmap: " + why}; }

}  // namespace

remote::process_settings settings_of(const process_pool_options& options) {
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
  return settings;
}

}  // namespace fmap
