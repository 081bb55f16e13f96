// SPDX-License-Identifier: BSD-3-Clause
// Prints results the way sha256sum does.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include <fmap/progress.hpp>

#include "hasher.hpp"

namespace checksum {

/// The path on one line: sha256sum's escapes for a backslash, a newline and a carriage return.
inline std::string escaped(std::string_view path) {
  std::string text;
  for (char c : path)
    if (c == '\\')
      text += "\\\\";
    else if (c == '\n')
      text += "\\n";
    else if (c == '\r')
      text += "\\r";
    else
      text += c;
  return text;
}

/// `<hash>  <path>`; a leading backslash says that the path has escapes in it.
inline std::string sum_line(const checked_file& file) {
  std::string path = escaped(file.path);
  const char* mark = path == file.path ? "" : "\\";
  return mark + file.hash + "  " + path + '\n';
}

inline std::string error_line(const checked_file& file) {
  std::string path = file.path.empty() ? "''" : escaped(file.path);
  return "checksum: " + path + ": " + file.error;
}

class printer {
public:
  void print(const checked_file& file) {
    ++files_;
    bytes_ += file.bytes;
    if (file.error.empty()) {
      write(sum_line(file));
    } else {
      ++failed_;
      fmap::progress_bar::print(error_line(file));
    }
  }

  std::uint64_t files() const { return files_; }
  std::uint64_t failed() const { return failed_; }
  std::uint64_t bytes() const { return bytes_; }

private:
  /// Whoever reads our lines gets each at once.
  static void write(const std::string& line) {
    if (std::fputs(line.c_str(), stdout) < 0 || std::fflush(stdout) != 0) give_up();
  }

  /// Nobody gets our lines any more. The input may be waiting for paths that never come, so this
  /// does not wait for it; there is nothing to tidy up.
  [[noreturn]] static void give_up() {
    const std::string reason = std::generic_category().message(errno);
    fmap::progress_bar::print("checksum: write error: " + reason);
    std::_Exit(EXIT_FAILURE);
  }

  std::uint64_t files_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t bytes_ = 0;
};

/// A bar where it disturbs nobody: on a terminal that does not show the results, too.
inline fmap::progress_options progress_options() {
  const bool alone = ::isatty(STDERR_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 0;
  return {.label = "hashing", .unit = "files", .when = alone ? fmap::automatic : fmap::never};
}

}  // namespace checksum
