// SPDX-License-Identifier: BSD-3-Clause
// Texts for people: what somebody else has sent, and times.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iomanip>
#include <sstream>
#include <string>

namespace fmap::remote {

/// At most so many bytes of a text, without what would move a terminal's cursor.
inline std::string plain_text(std::string text, std::size_t most = 4096) {
  if (text.size() > most) text.resize(most);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 127; }, '?');
  return text;
}

/// "1.5 s"
inline std::string in_seconds(std::chrono::nanoseconds time) {
  std::ostringstream text;
  text << std::setprecision(3) << std::chrono::duration<double>(time).count() << " s";
  return text.str();
}

}  // namespace fmap::remote
