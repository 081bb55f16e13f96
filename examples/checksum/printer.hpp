// SPDX-License-Identifier: BSD-3-Clause
// Prints results the way sha256sum does, and a line of progress on a terminal.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

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
  return "checksum: " + path + ": " + file.error + '\n';
}

class printer {
public:
  printer() = default;
  printer(const printer&) = delete;
  printer& operator=(const printer&) = delete;
  ~printer() { clear_progress(); }

  void print(const checked_file& file) {
    ++files_;
    bytes_ += file.bytes;
    if (file.error.empty()) {
      if (shares_terminal_) clear_progress();
      write(sum_line(file));
    } else {
      ++failed_;
      clear_progress();
      std::fputs(error_line(file).c_str(), stderr);
    }
    if (on_terminal_) show_progress();
  }

  void clear_progress() {
    if (progress_shown_) std::fputs("\r\033[K", stderr);
    progress_shown_ = false;
  }

  std::uint64_t files() const { return files_; }
  std::uint64_t failed() const { return failed_; }
  std::uint64_t bytes() const { return bytes_; }

private:
  using clock = std::chrono::steady_clock;

  /// Whoever reads our lines gets each at once.
  void write(const std::string& line) {
    if (std::fputs(line.c_str(), stdout) < 0 || std::fflush(stdout) != 0) give_up();
  }

  /// Nobody gets our lines any more. The input may be waiting for paths that never come, so this
  /// does not wait for it; there is nothing to tidy up.
  [[noreturn]] void give_up() {
    std::string reason = std::generic_category().message(errno);
    clear_progress();
    std::fprintf(stderr, "checksum: write error: %s\n", reason.c_str());
    std::_Exit(EXIT_FAILURE);
  }

  void show_progress() {
    auto now = clock::now();
    if (now < next_progress_) return;
    next_progress_ = now + std::chrono::milliseconds{100};
    double seconds = std::chrono::duration<double>(now - start_).count();
    auto megabytes = static_cast<double>(bytes_) / 1e6;
    std::fprintf(stderr, "\r%llu files, %.0f MB, %.0f MB/s\033[K",
                 static_cast<unsigned long long>(files_), megabytes, megabytes / seconds);
    progress_shown_ = true;
  }

  std::uint64_t files_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t bytes_ = 0;
  bool on_terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool shares_terminal_ = on_terminal_ && ::isatty(STDOUT_FILENO) == 1;
  bool progress_shown_ = false;
  clock::time_point start_ = clock::now();
  clock::time_point next_progress_ = start_ + std::chrono::milliseconds{100};
};

}  // namespace checksum
