// SPDX-License-Identifier: BSD-3-Clause
// Reading a file.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

namespace testing {

/// All bytes of a file; none if it cannot be read.
inline std::string content_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace testing
