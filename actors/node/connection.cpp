// SPDX-License-Identifier: BSD-3-Clause
// Frames over a stream socket, between a pool and one worker process.

#include "actors/node/connection.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fmap::actors {

namespace {

constexpr std::size_t length_size = 8, header_size = length_size + 1;
constexpr std::size_t read_at_once = 256 * 1024;

void put_length(char* at, std::uint64_t n) {
  for (std::size_t i = 0; i != length_size; ++i) at[i] = static_cast<char>(n >> (8 * i));
}

std::uint64_t get_length(const char* at) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i != length_size; ++i)
    n |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  return n;
}

void wait_for(int fd, short events) {
  pollfd p{fd, events, 0};
  while (::poll(&p, 1, -1) < 0 && errno == EINTR) {}
}

}  // namespace

connection::~connection() { ::close(fd_); }

std::size_t connection::begin(frame kind) {
  const std::size_t start = out_.size();
  out_.append(length_size, '\0');
  out_.push_back(static_cast<char>(kind));
  return start;
}

void connection::finish(std::size_t start) {
  put_length(out_.data() + start, out_.size() - start - length_size);
}

bool connection::flush(bool all) {
  while (written_ != out_.size()) {
    const ssize_t n =
        ::send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      written_ += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!all) return true;
      wait_for(fd_, POLLOUT);
    } else if (errno != EINTR) {
      return false;
    }
  }
  written_ = 0;
  out_.clear();
  if (out_.capacity() > 4 * read_at_once) out_.shrink_to_fit();
  return true;
}

bool connection::fill(bool wait) {
  if (read_ == in_.size()) {
    in_.clear();
    read_ = 0;
    if (in_.capacity() > 4 * read_at_once) in_.shrink_to_fit();
  }
  for (;;) {
    const std::size_t before = in_.size();
    in_.resize(before + std::max(read_at_once, before / 4));
    const ssize_t n = ::recv(fd_, in_.data() + before, in_.size() - before, MSG_DONTWAIT);
    const int error = errno;
    in_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n > 0) return true;
    if (n == 0) return false;
    if (error == EAGAIN || error == EWOULDBLOCK) {
      if (!wait) return true;
      wait_for(fd_, POLLIN);
    } else if (error != EINTR) {
      return false;
    }
  }
}

bool connection::each(const std::function<bool(frame, wire::reader&)>& handle) {
  while (in_.size() - read_ >= header_size) {
    const std::uint64_t length = get_length(in_.data() + read_);
    if (length == 0) return false;
    if (length > in_.size() - read_ - length_size) break;
    const auto kind = static_cast<frame>(in_[read_ + length_size]);
    wire::reader content{std::string_view{in_}.substr(read_ + header_size, length - 1)};
    if (!handle(kind, content)) return false;
    read_ += length_size + length;
  }
  if (read_ > in_.size() / 2) {
    in_.erase(0, read_);
    read_ = 0;
  }
  return true;
}

}  // namespace fmap::actors
