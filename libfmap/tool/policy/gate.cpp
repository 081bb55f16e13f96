// SPDX-License-Identifier: BSD-3-Clause
// Load and memory, from the kernel.
#include "tool/policy/gate.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tool/policy/jobs.hpp"

namespace fmap::tool {

namespace {

std::optional<std::uint64_t> number_in(const std::string& file) {
  std::ifstream from{file};
  std::uint64_t n = 0;
  if (from >> n) return n;
  return std::nullopt;  // "max" is no number
}

}  // namespace

std::optional<std::uint64_t> free_memory() {
  std::optional<std::uint64_t> least;
  std::ifstream about{"/proc/meminfo"};
  for (std::string name, unit; about >> name;) {
    std::uint64_t n = 0;
    if (!(about >> n)) break;
    std::getline(about, unit);
    if (name == "MemAvailable:") least = n * 1024;
  }
  std::string group = control_group();
  for (;;) {
    const std::string folder = "/sys/fs/cgroup" + group;
    const auto most = number_in(folder + "/memory.max"),
               now = number_in(folder + "/memory.current");
    if (most && now) {
      const std::uint64_t left = *most > *now ? *most - *now : 0;
      least = std::min(least.value_or(left), left);
    }
    const auto slash = group.rfind('/');
    if (slash == std::string::npos) return least;
    group.resize(slash);
  }
}

std::string gate::closed() const {
  char text[100];
  if (load) {
    double now = 0;
    if (::getloadavg(&now, 1) == 1 && now > *load) {
      std::snprintf(text, sizeof text, "the load is %.2f", now);
      return text;
    }
  }
  if (memory != 0) {
    const auto now = free_memory();
    if (now && *now < memory) {
      std::snprintf(text, sizeof text, "%.0f MiB of memory are free",
                    static_cast<double>(*now) / (1 << 20));
      return text;
    }
  }
  return {};
}

}  // namespace fmap::tool
