// SPDX-License-Identifier: BSD-3-Clause
// Delimiters as they are written on the command line.
#include "tool/input/columns.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <stdexcept>

namespace fmap::tool {

std::string unescaped(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (text[0] != '\\') {
      bytes += text[0];
      text.remove_prefix(1);
      continue;
    }
    const char kind = text.size() > 1 ? text[1] : '\0';
    std::size_t length = 2;
    switch (kind) {
      case 'n': bytes += '\n'; break;
      case 't': bytes += '\t'; break;
      case 'r': bytes += '\r'; break;
      case '0': bytes += '\0'; break;
      case '\\': bytes += '\\'; break;
      case 'x': {
        unsigned value = 0;
        const char* first = text.data() + 2;
        const char* last = text.data() + std::min<std::size_t>(4, text.size());
        const auto [end, error] = std::from_chars(first, last, value, 16);
        if (error != std::errc{} || end != first + 2)
          throw std::invalid_argument{"\\x needs two hexadecimal digits"};
        bytes += static_cast<char>(value);
        length = 4;
        break;
      }
      default:
        throw std::invalid_argument{"a backslash stands before n, t, r, 0, x or a backslash only"};
    }
    text.remove_prefix(length);
  }
  return bytes;
}

}  // namespace fmap::tool
