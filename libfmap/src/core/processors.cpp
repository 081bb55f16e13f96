// SPDX-License-Identifier: BSD-3-Clause
// How many processors this process may use.

#include "src/core/processors.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include <sched.h>

namespace fmap::detail {

namespace {

/// The processors in the affinity mask; 0 if the kernel does not tell.
std::size_t in_mask() {
  for (std::size_t most = 1024; most <= (1u << 20); most *= 4) {
    std::vector<cpu_set_t> mask(most / CPU_SETSIZE);
    const std::size_t size = mask.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, size, mask.data()) == 0)
      return static_cast<std::size_t>(CPU_COUNT_S(size, mask.data()));
  }
  return 0;
}

/// A hierarchy of control groups that may limit processor time.
struct hierarchy {
  bool second_version = false;
  std::string group;  // this process' one
};

bool listed(const std::string& wanted, const std::string& list) {
  std::istringstream names{list};
  for (std::string name; std::getline(names, name, ',');)
    if (name == wanted) return true;
  return false;
}

std::vector<hierarchy> hierarchies(const std::string& root) {
  std::vector<hierarchy> result;
  std::ifstream file{root + "/proc/self/cgroup"};
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controllers.empty() || listed("cpu", controllers))
      result.push_back({controllers.empty(), line.substr(second + 1)});
  }
  return result;
}

/// Where a hierarchy is mounted, and which group of it.
struct mount_point {
  std::string directory, group;
};

std::optional<mount_point> mount_of(const hierarchy& h, const std::string& root) {
  std::ifstream file{root + "/proc/self/mountinfo"};
  for (std::string line; std::getline(file, line);) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before{line.substr(0, dash)}, after{line.substr(dash + 3)};
    std::string id, parent, device, type, source, options;
    mount_point m;
    before >> id >> parent >> device >> m.group >> m.directory;
    after >> type >> source >> options;
    if (h.second_version ? type == "cgroup2" : type == "cgroup" && listed("cpu", options)) return m;
  }
  return {};
}

std::optional<double> quota_in(const std::string& directory, bool second_version) {
  std::string quota;
  double period = 0;
  if (second_version) {
    std::ifstream{directory + "/cpu.max"} >> quota >> period;
  } else {
    std::ifstream{directory + "/cpu.cfs_quota_us"} >> quota;
    std::ifstream{directory + "/cpu.cfs_period_us"} >> period;
  }
  double time = 0;
  std::istringstream{quota} >> time;  // "max" and -1: none
  if (time <= 0 || period <= 0) return {};
  return time / period;
}

}  // namespace

std::chrono::nanoseconds processor_quota::spent() const {
  std::int64_t time = 0;
  if (second_version) {
    std::string name;
    std::ifstream{directory + "/cpu.stat"} >> name >> time;  // "usage_usec", the first line
    return std::chrono::microseconds{time};
  }
  std::ifstream{directory + "/cpuacct.usage"} >> time;
  return std::chrono::nanoseconds{time};
}

std::vector<processor_quota> processor_quotas(const std::string& root) {
  std::vector<processor_quota> result;
  for (const hierarchy& h : hierarchies(root)) {
    const auto mount = mount_of(h, root);
    if (!mount) continue;
    // In a container the mount may show this process' group as its root.
    std::string group = h.group == "/" ? "" : h.group;
    const std::string& top = mount->group;
    const bool below =
        group.starts_with(top) && (group.size() == top.size() || group[top.size()] == '/');
    if (top != "/" && below) group.erase(0, top.size());
    const std::string base = root + mount->directory;
    for (;;) {
      if (const auto quota = quota_in(base + group, h.second_version))
        result.push_back({*quota, base + group, h.second_version});
      const auto slash = group.rfind('/');
      if (slash == std::string::npos) break;
      group.erase(slash);
    }
  }
  return result;
}

std::optional<double> least_quota(const std::string& root) {
  std::optional<double> least;
  for (const processor_quota& q : processor_quotas(root))
    least = std::min(least.value_or(q.processors), q.processors);
  return least;
}

std::size_t usable_processors() {
  std::size_t result = in_mask();
  if (result == 0) result = std::thread::hardware_concurrency();
  if (const auto quota = least_quota())
    result = std::min(result, static_cast<std::size_t>(std::ceil(*quota)));
  return std::max<std::size_t>(result, 1);
}

}  // namespace fmap::detail
