// SPDX-License-Identifier: BSD-3-Clause
// Keeps fmap's descriptors away from where standard input, output and error belong.
#pragma once

#include <cstddef>
#include <mutex>

namespace fmap::detail {

/// A program may have closed some of descriptors 0 to 2, and may go on writing to them all the same, which is to fail.
/// While this lives, something that cannot be written is there, so that no descriptor which fmap opens gets such a
/// number. One at a time lives.
class standard_streams {
public:
  standard_streams();
  ~standard_streams();
  standard_streams(const standard_streams&) = delete;
  standard_streams& operator=(const standard_streams&) = delete;

  /// Whether the program has closed it, as far as that can be told: other threads may have something there for a moment.
  bool missing(int fd) const { return missing_[fd]; }

  /// Has `open(fds)` fill these with new descriptors, or return false. If somebody else's had kept a place among the
  /// standard streams until then, some of the new ones may be there; they are dropped, and it is called again.
  template <std::size_t N, class Open>
  bool make(int (&fds)[N], Open open) {
    while (open(fds))
      if (!drop(fds, N)) return true;
    return false;
  }

  /// The same for one. Negative: `open()` was.
  template <class Open>
  int make(Open open) {
    int fd[1];
    const auto into = [&open](int* it) { return (*it = open()) >= 0; };
    return make(fd, into) ? fd[0] : -1;
  }

private:
  bool drop(const int* fds, std::size_t n) noexcept;
  void occupy(int fd) noexcept;

  std::unique_lock<std::mutex> alone_;
  bool missing_[3] = {};
};

/// Opens /dev/null where a standard stream is missing: for programs that are fmap's own, before they have threads.
void open_missing_streams() noexcept;

}  // namespace fmap::detail
