// SPDX-License-Identifier: BSD-3-Clause
// Terminals for tests: what one shows after some bytes, and a real one whose other end is ours.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/catch.hpp"

namespace testing {

/// Shows text as a terminal does that knows "\r", "\n", and the sequences K, J and A. One byte is one column.
class shown_terminal {
public:
  explicit shown_terminal(std::size_t width) : width_{width} {}

  void feed(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      const char c = bytes[at];
      if (c == '\r') {
        column_ = 0;
      } else if (c == '\n') {
        ++row_;
      } else if (c == '\033') {
        at = sequence(bytes, at + 1);
      } else {
        if (column_ == width_) {
          column_ = 0;
          ++row_;
        }
        line().resize(std::max(line().size(), column_ + 1), ' ');
        line()[column_++] = c;
      }
      line();
    }
  }

  /// Wider or narrower: lines that were wrapped are joined, those that are too long are wrapped, as most terminals do.
  void resize(std::size_t width) {
    std::vector<std::string> wrapped;
    for (std::size_t r = 0; r != lines_.size(); ++r) {
      std::string left = lines_[r];
      if (r == row_) column_ = std::min(column_, left.size());
      bool is_cursors = r == row_;
      do {
        wrapped.push_back(left.substr(0, width));
        left.erase(0, std::min(width, left.size()));
      } while (!left.empty());
      if (is_cursors) {
        new_row_ = wrapped.size() - 1;
        column_ = wrapped.back().size();
      }
    }
    lines_ = wrapped;
    row_ = new_row_;
    width_ = width;
  }

  /// Without blanks at ends of lines and empty lines at the end.
  std::vector<std::string> lines() const {
    std::vector<std::string> result = lines_;
    for (std::string& l : result) l.erase(l.find_last_not_of(' ') + 1);
    while (!result.empty() && result.back().empty()) result.pop_back();
    return result;
  }

private:
  std::string& line() {
    if (lines_.size() <= row_) lines_.resize(row_ + 1);
    return lines_[row_];
  }

  std::size_t sequence(std::string_view bytes, std::size_t at) {
    REQUIRE(bytes[at] == '[');
    std::size_t number = 0;
    for (++at; bytes[at] >= '0' && bytes[at] <= '9'; ++at)
      number = 10 * number + static_cast<std::size_t>(bytes[at] - '0');
    switch (bytes[at]) {
      case 'A': row_ -= std::min(row_, std::max<std::size_t>(number, 1)); break;
      case 'J': lines_.resize(row_ + 1); [[fallthrough]];
      case 'K': line().resize(std::min(line().size(), column_)); break;
      default: FAIL("an unknown sequence: " << bytes.substr(at - 2, 3));
    }
    return at;
  }

  std::size_t width_, row_ = 0, new_row_ = 0, column_ = 0;
  std::vector<std::string> lines_;
};

/// A real terminal: programs write to file(), and read() has what they wrote.
class real_terminal {
public:
  explicit real_terminal(unsigned short columns)
      : ours_{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)} {
    REQUIRE(ours_ >= 0);
    REQUIRE(::grantpt(ours_) == 0);
    REQUIRE(::unlockpt(ours_) == 0);
    ::fcntl(ours_, F_SETFL, O_NONBLOCK);
    file_ = std::fopen(::ptsname(ours_), "w");
    REQUIRE(file_ != nullptr);
    resize(columns);
  }
  ~real_terminal() {
    std::fclose(file_);
    if (ours_ >= 0) ::close(ours_);
  }
  real_terminal(const real_terminal&) = delete;
  real_terminal& operator=(const real_terminal&) = delete;

  std::FILE* file() const { return file_; }

  void resize(unsigned short columns) const {
    const winsize size{24, columns, 0, 0};
    REQUIRE(::ioctl(ours_, TIOCSWINSZ, &size) == 0);
  }

  /// All that has been written so far.
  const std::string& read() {
    char bytes[4096];
    for (ssize_t n; (n = ::read(ours_, bytes, sizeof bytes)) > 0;)
      all_.append(bytes, static_cast<std::size_t>(n));
    return all_;
  }

  void hang_up() {
    ::close(ours_);
    ours_ = -1;
  }

private:
  int ours_;
  std::FILE* file_ = nullptr;
  std::string all_;
};

}  // namespace testing
