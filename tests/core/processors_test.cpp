// SPDX-License-Identifier: BSD-3-Clause
// How many processors a process may use: its affinity mask and the quotas of its control groups.
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <sched.h>

#include "src/core/processors.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"

using fmap::detail::least_quota;
using fmap::detail::processor_quotas;
using fmap::detail::usable_processors;

namespace {

/// A folder that stands for the root of the file system.
class made_up_system {
public:
  made_up_system& file(const std::string& name, const std::string& text) {
    const std::filesystem::path path = root_.path() + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path} << text;
    return *this;
  }

  std::optional<double> quota() const { return least_quota(root_.path()); }

private:
  testing::folder root_;
};

constexpr const char* second_version =
    "22 1 0:20 / /proc rw - proc proc rw\n"
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

constexpr const char* first_version =
    "33 32 0:29 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n"
    "36 32 0:32 / /sys/fs/cgroup/cpu,cpuacct rw shared:12 - cgroup cgroup rw,cpu,cpuacct\n";

}  // namespace

TEST_CASE("without control groups there is no quota") {
  made_up_system s;
  CHECK_FALSE(s.quota());
  s.file("/proc/self/cgroup", "").file("/proc/self/mountinfo", second_version);
  CHECK_FALSE(s.quota());
  s.file("/proc/self/cgroup", "nonsense\n0::\n:::\n\n");
  CHECK_FALSE(s.quota());
}

TEST_CASE("the quota of a control group of version 2 is time by period") {
  made_up_system s;
  s.file("/proc/self/cgroup", "0::/work.slice\n").file("/proc/self/mountinfo", second_version);
  CHECK_FALSE(s.quota());
  s.file("/sys/fs/cgroup/work.slice/cpu.max", "max 100000\n");
  CHECK_FALSE(s.quota());
  s.file("/sys/fs/cgroup/work.slice/cpu.max", "150000 100000\n");
  CHECK(s.quota() == 1.5);
  s.file("/sys/fs/cgroup/work.slice/cpu.max", "150000 0\n");
  CHECK_FALSE(s.quota());
  s.file("/sys/fs/cgroup/work.slice/cpu.max", "");
  CHECK_FALSE(s.quota());
}

TEST_CASE("the least quota of the groups around a group counts") {
  made_up_system s;
  s.file("/proc/self/cgroup", "0::/a/b/c\n").file("/proc/self/mountinfo", second_version);
  s.file("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  s.file("/sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
  CHECK(s.quota() == 4);
  s.file("/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  CHECK(s.quota() == 2);
  s.file("/sys/fs/cgroup/a/b/c/cpu.max", "50000 100000\n");
  CHECK(s.quota() == 0.5);
}

TEST_CASE("in a container the mount shows the process' group as its root") {
  made_up_system s;
  s.file("/proc/self/cgroup", "0::/\n").file("/proc/self/mountinfo", second_version);
  s.file("/sys/fs/cgroup/cpu.max", "300000 100000\n");
  CHECK(s.quota() == 3);
  // Without a namespace of its own for control groups.
  s.file("/proc/self/cgroup", "0::/docker/0123\n");
  s.file("/proc/self/mountinfo", "30 24 0:26 /docker/0123 /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  CHECK(s.quota() == 3);
}

TEST_CASE("a group whose name begins like the mounted one's is another one") {
  made_up_system s;
  s.file("/proc/self/cgroup", "0::/docker/0123\n");
  s.file("/proc/self/mountinfo", "30 24 0:26 /docker/01 /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  s.file("/sys/fs/cgroup23/cpu.max", "100000 100000\n");
  CHECK_FALSE(s.quota());
}

TEST_CASE("the quota of a control group of version 1 is that of the cpu controller") {
  made_up_system s;
  s.file("/proc/self/cgroup", "9:memory:/m\n4:cpu,cpuacct:/work\n0::/init.scope\n");
  s.file("/proc/self/mountinfo", first_version);
  const std::string group = "/sys/fs/cgroup/cpu,cpuacct/work";
  s.file(group + "/cpu.cfs_period_us", "100000\n");
  CHECK_FALSE(s.quota());
  s.file(group + "/cpu.cfs_quota_us", "-1\n");
  CHECK_FALSE(s.quota());
  s.file(group + "/cpu.cfs_quota_us", "250000\n");
  CHECK(s.quota() == 2.5);
  s.file("/proc/self/cgroup", "4:cpuset:/work\n");
  CHECK_FALSE(s.quota());
}

TEST_CASE("a thread that may use one processor counts one") {
  CHECK(usable_processors() >= 1);
  std::size_t seen = 0;
  std::thread{[&] {
    cpu_set_t mask;
    REQUIRE(::sched_getaffinity(0, sizeof mask, &mask) == 0);
    int one = 0;
    while (!CPU_ISSET(one, &mask)) ++one;
    CPU_ZERO(&mask);
    CPU_SET(one, &mask);
    REQUIRE(::sched_setaffinity(0, sizeof mask, &mask) == 0);
    seen = usable_processors();
  }}.join();
  CHECK(seen == 1);
}
