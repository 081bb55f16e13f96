// SPDX-License-Identifier: BSD-3-Clause
// What tests of worker processes need: what is left of them, and what they did.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

namespace testing {

/// Entries of a directory in /proc, without the descriptor that looking at them takes.
inline std::size_t entries(const char* directory) {
  const std::filesystem::directory_iterator all{directory};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// The state of a process as /proc tells it ('R', 'S', 'T', 'Z' ...) and its parent; 0 if it is gone.
struct process_status {
  char state = 0;
  pid_t parent = 0;
};
inline process_status status_of(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  std::string line;
  std::getline(file, line);
  const auto end = line.rfind(')');
  process_status result;
  if (end != std::string::npos)
    std::istringstream{line.substr(end + 1)} >> result.state >> result.parent;
  return result;
}

/// All child processes of this one, zombies included.
inline std::vector<pid_t> children() {
  std::vector<pid_t> result;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && status_of(pid).parent == ::getpid()) result.push_back(pid);
  }
  return result;
}

/// Whether a process runs, or at least is stopped; zombies do not.
inline bool alive(pid_t pid) {
  const char state = status_of(pid).state;
  return state != 0 && state != 'Z' && state != 'X';
}

/// Descriptors, threads and children of this process, to be compared before and after.
struct belongings {
  std::size_t descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task"),
              processes = children().size();

  /// A thread of an earlier test may still have been on its way out when `before` was counted.
  bool no_more_than(const belongings& before) const {
    return descriptors <= before.descriptors && threads <= before.threads
           && processes <= before.processes;
  }
};

/// A file in which tasks, in whatever process, write down numbers.
class logbook {
public:
  logbook() {
    const int fd = ::mkstemp(path_.data());
    if (fd < 0) throw std::runtime_error{"cannot make " + path_};
    ::close(fd);
  }
  ~logbook() { ::unlink(path_.c_str()); }
  logbook(const logbook&) = delete;
  logbook& operator=(const logbook&) = delete;

  /// For process_pool_options::environment.
  std::string variable() const { return "FMAP_TEST_LOG=" + path_; }

  /// In a task.
  static void write(std::uint64_t n) {
    static const int fd = [] {
      const char* path = std::getenv("FMAP_TEST_LOG");
      return ::open(path != nullptr ? path : "", O_WRONLY | O_APPEND | O_CLOEXEC);
    }();
    if (::write(fd, &n, sizeof n) != sizeof n) std::abort();
  }

  /// How often each number was written.
  std::map<std::uint64_t, int> counts() const {
    std::map<std::uint64_t, int> result;
    std::ifstream file{path_, std::ios::binary};
    for (std::uint64_t n = 0; file.read(reinterpret_cast<char*>(&n), sizeof n);) ++result[n];
    return result;
  }

private:
  std::string path_ = std::filesystem::temp_directory_path() / "fmap-log-XXXXXX";
};

}  // namespace testing
