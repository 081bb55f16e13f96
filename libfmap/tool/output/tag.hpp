// SPDX-License-Identifier: BSD-3-Clause
// --tag: a text before each line.
#pragma once

#include <string>
#include <string_view>

namespace fmap::tool {

/// `begins`: whether a line begins with the first of the bytes; then, whether one begins behind the last.
inline std::string tagged(std::string_view bytes, std::string_view tag, bool& begins) {
  std::string text;
  while (!bytes.empty()) {
    if (begins) text += tag;
    const auto end = bytes.find('\n');
    begins = end != std::string_view::npos;
    text += bytes.substr(0, begins ? end + 1 : bytes.size());
    bytes.remove_prefix(begins ? end + 1 : bytes.size());
  }
  return text;
}

}  // namespace fmap::tool
