// SPDX-License-Identifier: BSD-3-Clause
// What the kernel knows about this process.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace testing {

/// Whether memory is watched by a sanitizer, which keeps freed memory for a while and is slow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool memory_is_watched = true;
#elif defined(__has_feature)
inline constexpr bool memory_is_watched =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool memory_is_watched = false;
#endif

inline std::size_t threads_now() {
  const std::filesystem::directory_iterator tasks{"/proc/self/task"};
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

/// The most memory that was ever resident, in KiB.
inline std::size_t peak_memory() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;) {
    if (word != "VmHWM:") continue;
    std::size_t kib = 0;
    status >> kib;
    return kib;
  }
  return 0;
}

}  // namespace testing
