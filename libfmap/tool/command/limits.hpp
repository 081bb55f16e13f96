// SPDX-License-Identifier: BSD-3-Clause
// How long a command line may be.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <unistd.h>

namespace fmap::tool {

/// What one word may have, a little less than the kernel takes.
inline constexpr std::size_t longest_word = 120u << 10;

/// What a word takes of the kernel's room: its bytes, their end, and a pointer.
inline std::size_t cost_of_word(std::size_t size) { return size + 1 + sizeof(char*); }

/// What all words of a command may take together, beside that environment.
inline std::size_t room_for_words(const std::vector<std::string>& environment) {
  const long most = ::sysconf(_SC_ARG_MAX);
  std::size_t left = most > 0 ? static_cast<std::size_t>(most) : 131072;
  std::size_t taken = 4096;  // for what the kernel adds, and POSIX wants 2048 to be left
  for (const std::string& e : environment) taken += cost_of_word(e.size());
  return left > taken ? left - taken : 0;
}

}  // namespace fmap::tool
