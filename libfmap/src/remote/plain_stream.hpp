// SPDX-License-Identifier: BSD-3-Clause
// A stream over a socket, or over the standard input and output of a command.
#pragma once

#include <cstdint>

#include "src/remote/stream.hpp"

namespace fmap::remote {

/// Whatever the descriptors refer to, nothing is added to the bytes.
class plain_stream final : public stream {
public:
  /// Takes over a connected stream socket.
  explicit plain_stream(int socket);

  /// Takes over two descriptors, of pipes for instance, and sets them to non-blocking.
  plain_stream(int in, int out);

  ~plain_stream() override;

  moved read_some(char* to, std::size_t size) override;
  moved write_some(const char* from, std::size_t size) override;
  int read_fd() const override { return in_.fd; }
  int write_fd() const override { return out_.fd; }
  bool intact() const override;
  void cut() noexcept override;

  /// Nothing more will be written: the other end finds the end of its input.
  void end_output() noexcept;

private:
  struct end {
    int fd;
    std::uint64_t inode;
    bool socket;
  };

  static end of(int fd);
  bool shared() const { return in_.fd == out_.fd; }

  end in_, out_;
};

}  // namespace fmap::remote
