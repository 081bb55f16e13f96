// SPDX-License-Identifier: BSD-3-Clause
// Processes, as /proc shows them.
#include "tool/worker/stall.hpp"

#include <fstream>
#include <string>

#include <sys/syscall.h>
#include <unistd.h>

namespace fmap::tool {

namespace {

std::string file_of(pid_t process, const char* name) {
  return "/proc/" + std::to_string(process) + "/" + name;
}

/// Of one process.
bool reads(pid_t process) {
  std::ifstream call{file_of(process, "syscall")};
  long number = -1;
  std::string first;
  if (call >> number >> first) return number == SYS_read && first == "0x0";
  std::ifstream place{file_of(process, "wchan")};
  std::string name;
  place >> name;
  return name.ends_with("pipe_read");
}

}  // namespace

bool sleeps_in_read(pid_t process) {
  if (reads(process)) return true;
  const std::string threads = "task/" + std::to_string(process) + "/children";
  std::ifstream children{file_of(process, threads.c_str())};
  for (pid_t child = 0; children >> child;)
    if (sleeps_in_read(child)) return true;
  return false;
}

std::uint64_t memory_of(pid_t process) {
  std::ifstream file{file_of(process, "statm")};
  std::uint64_t size = 0, resident = 0;
  if (!(file >> size >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace fmap::tool
