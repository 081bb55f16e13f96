// SPDX-License-Identifier: BSD-3-Clause
// What the command-line tools among the examples share: standard streams, and how they complain.
#pragma once

#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>

namespace tool {

/// Where the shell left a standard stream closed, puts something in its place that fails when it
/// is used: no file or connection that is opened later can then be mistaken for it.
inline void occupy_standard_streams() {
  for (int stream : {0, 1, 2})
    if (::fcntl(stream, F_GETFD) == -1)
      (void)::open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY);
}

/// Writes to standard output, at once, so that whoever reads has each line as soon as it is there.
/// Throws if it cannot be written: a full disk, a closed stream, a reader that has left.
inline void print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0)
    throw std::system_error{errno, std::generic_category(), "write error"};
}

/// The same text with quotes that every terminal can show: cxxopts puts typographic ones into its
/// messages, in all locales.
inline std::string with_ascii_quotes(std::string text) {
  for (std::string_view quote : {"\u2018", "\u2019"})
    for (auto at = text.find(quote); at != std::string::npos; at = text.find(quote, at))
      text.replace(at, quote.size(), "'");
  return text;
}

}  // namespace tool
