// SPDX-License-Identifier: BSD-3-Clause
// Bytes to and from a peer.
#pragma once

#include <cstddef>

namespace fmap::remote {

/// Two directions of bytes that never block. Closed by the destructor. Not thread-safe.
class stream {
public:
  /// What a call moved: a number of bytes, 0 if none could be moved now, or this: the other end is gone.
  using moved = std::ptrdiff_t;
  static constexpr moved gone = -1;

  stream() = default;
  virtual ~stream() = default;
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  /// Reads at most `size` bytes; `size` is not 0.
  virtual moved read_some(char* to, std::size_t size) = 0;

  /// Writes at most `size` bytes; `size` is not 0.
  virtual moved write_some(const char* from, std::size_t size) = 0;

  /// Descriptors to poll before the next read and write; they may be the same.
  virtual int read_fd() const = 0;
  virtual int write_fd() const = 0;

  /// Whether the descriptors are still this stream's: code that fmap calls may have closed them, and the numbers
  /// may be other files' by now.
  virtual bool intact() const = 0;

  /// Ends both directions; the descriptors stay.
  virtual void cut() noexcept = 0;
};

}  // namespace fmap::remote
