// SPDX-License-Identifier: BSD-3-Clause
// Environment and limits.
#include "tool/launch/environment.hpp"

#include <cstdint>
#include <string_view>

#include <unistd.h>

#include "tool/options/options.hpp"

namespace fmap::tool {

namespace {

constexpr rlim_t descriptors_each = 5;
constexpr rlim_t our_descriptors = 64;

}  // namespace

std::size_t most_jobs() {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  if (now.rlim_cur < our_descriptors + descriptors_each) return 1;
  return (now.rlim_cur - our_descriptors) / descriptors_each;
}

std::optional<rlimit> raise_limit(std::size_t jobs) {
  rlimit old{};
  if (::getrlimit(RLIMIT_NOFILE, &old) != 0) return std::nullopt;
  rlimit raised = old;
  raised.rlim_cur = raised.rlim_max;
  const bool can = old.rlim_cur == old.rlim_max || ::setrlimit(RLIMIT_NOFILE, &raised) == 0;
  const rlim_t most = can ? raised.rlim_cur : old.rlim_cur;
  const rlim_t needed = descriptors_each * static_cast<rlim_t>(jobs) + our_descriptors;
  if (most != RLIM_INFINITY && needed > most)
    throw usage_error{"-j " + std::to_string(jobs) + " needs " + std::to_string(needed)
                      + " descriptors, and there may be " + std::to_string(most)
                      + ": see ulimit -n, or write a smaller -j"};
  return old;
}

void set_variable(std::vector<std::string>& environment, const std::string& variable) {
  const std::string name = variable.substr(0, variable.find('=') + 1);
  std::erase_if(environment, [&](const std::string& v) { return v.starts_with(name); });
  environment.push_back(variable);
}

std::vector<std::string> job_environment(std::size_t jobs) {
  std::vector<std::string> all;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view text = *at;
    bool ours = false;
    for (const std::string_view name : {"SEQ", "SLOT", "ATTEMPT", "JOBS", "PID", "HOST"})
      ours = ours || text.starts_with("FMAP_" + std::string{name} + "=");
    if (!ours) all.emplace_back(text);
  }
  all.push_back("FMAP_JOBS=" + std::to_string(jobs));
  all.push_back("FMAP_PID=" + std::to_string(::getpid()));
  all.emplace_back("FMAP_HOST=:");
  return all;
}

}  // namespace fmap::tool
