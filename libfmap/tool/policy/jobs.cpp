// SPDX-License-Identifier: BSD-3-Clause
// Affinity and quota.
#include "tool/policy/jobs.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

#include <sched.h>
#include <unistd.h>

namespace fmap::tool {

namespace {

std::size_t in_mask() {
  cpu_set_t mask;
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0)
    return static_cast<std::size_t>(CPU_COUNT(&mask));
  return static_cast<std::size_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
}

/// The least quota of our control group (version 2) and those around it, in processors; 0 if there is none.
double quota() {
  std::string group = control_group();
  double least = 0;
  for (;;) {
    std::ifstream file{"/sys/fs/cgroup" + group + "/cpu.max"};
    double time = 0, period = 0;
    if (file >> time >> period && period > 0)  // "max" is no number
      least = least > 0 ? std::min(least, time / period) : time / period;
    const auto slash = group.rfind('/');
    if (slash == std::string::npos) return least;
    group.resize(slash);
  }
}

}  // namespace

std::string control_group() {
  std::string group;
  std::ifstream groups{"/proc/self/cgroup"};
  for (std::string line; std::getline(groups, line);)
    if (line.starts_with("0::")) group = line.substr(3);
  return group;
}

std::size_t processors() {
  const std::size_t mask = std::max<std::size_t>(in_mask(), 1);
  const double limit = quota();
  if (limit <= 0) return mask;
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::ceil(limit)), 1, mask);
}

}  // namespace fmap::tool
