// SPDX-License-Identifier: BSD-3-Clause
// Frames over a stream socket, between a pool and one worker process.

#include "actors/node/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fmap::actors {

namespace {

constexpr std::size_t length_size = 8, header_size = length_size + 1;
constexpr std::size_t read_at_once = 256 * 1024, small_frame = 64 * 1024;

void put_length(char* at, std::uint64_t n) {
  for (std::size_t i = 0; i != length_size; ++i) at[i] = static_cast<char>(n >> (8 * i));
}

std::uint64_t get_length(const char* at) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i != length_size; ++i)
    n |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  return n;
}

/// Waits for so many milliseconds; -1: until it is.
bool ready(int fd, short events, int patience) {
  pollfd p{fd, events, 0};
  int n = 0;
  while ((n = ::poll(&p, 1, patience)) < 0 && errno == EINTR) {}
  return n != 0;
}

/// Which file it is; 0 if none.
std::uint64_t inode_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 ? about.st_ino : 0;
}

}  // namespace

connection::connection(int fd, peer other) : fd_{fd}, inode_{inode_of(fd)}, peer_{other} {}

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

bool connection::send(frame kind, std::string_view head, std::string_view body) {
  const std::size_t start = begin(kind);
  out_.append(head);
  if (body.size() < small_frame) {
    out_.append(body);
    finish(start);
    return waiting() < small_frame || flush(true);
  }
  put_length(out_.data() + start, out_.size() - start - length_size + body.size());
  std::size_t done = 0;
  return flush(true) && write(body.data(), body.size(), done, true);
}

/// In a worker process the user's code may have closed it, and the number may be another file's by now.
bool connection::still_there() const { return inode_of(fd_) == inode_; }

/// Writes from `done` on what the socket takes now, or, if `all`, everything.
bool connection::write(const char* data, std::size_t size, std::size_t& done, bool all) {
  if (all && !still_there()) return false;
  while (done != size) {
    const ssize_t n = ::send(fd_, data + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!all) return true;
      ready(fd_, POLLOUT, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool connection::flush(bool all) {
  if (!write(out_.data(), out_.size(), written_, all)) return false;
  if (written_ == out_.size()) {
    written_ = 0;
    out_.clear();
    if (out_.capacity() > 4 * read_at_once) out_.shrink_to_fit();
  } else if (written_ > read_at_once && written_ > out_.size() / 2) {
    out_.erase(0, std::exchange(written_, 0));
  }
  return true;
}

/// Sees to it that some bytes can be appended to what has arrived.
void connection::make_room() {
  const std::size_t content = in_end_ - in_begin_;
  if (content == 0) {
    in_begin_ = in_end_ = 0;
    if (in_size_ > 4 * read_at_once) {
      in_.reset();
      in_size_ = 0;
    }
  }
  if (in_size_ - in_end_ >= read_at_once / 2) return;
  if (in_begin_ <= in_size_ / 2) {
    const std::size_t size = std::max(read_at_once, in_size_ + in_size_ / 2);
    auto larger = std::make_unique_for_overwrite<char[]>(size);
    if (content != 0) std::memcpy(larger.get(), in_.get() + in_begin_, content);
    in_ = std::move(larger);
    in_size_ = size;
  } else {
    std::memmove(in_.get(), in_.get() + in_begin_, content);
  }
  in_begin_ = 0;
  in_end_ = content;
}

bool connection::fill(bool wait) {
  make_room();
  for (;;) {
    // Never blocks in here: whoever does is also woken each time the other end reads.
    const ssize_t n = ::recv(fd_, in_.get() + in_end_, in_size_ - in_end_, MSG_DONTWAIT);
    if (n > 0) {
      in_end_ += static_cast<std::size_t>(n);
      return true;
    }
    if (n == 0) return false;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!wait) return true;
      if (!still_there()) return false;
      if (!spin_.wait([this] { return ready(fd_, POLLIN, 0); })) ready(fd_, POLLIN, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
}

/// Whether the peer may send such a frame.
bool connection::possible(std::uint64_t length, frame kind) const {
  const bool from_pool = kind <= frame::quit;
  return length != 0 && length <= longest_frame && kind <= frame::broken
         && from_pool == (peer_ == peer::pool);
}

bool connection::each(const std::function<bool(frame, wire::reader&)>& handle) {
  while (arrived() >= header_size) {
    const char* const at = in_.get() + in_begin_;
    const std::uint64_t length = get_length(at);
    const auto kind = static_cast<frame>(at[length_size]);
    if (!possible(length, kind)) return false;
    if (length > arrived() - length_size) break;
    wire::reader content{std::string_view{at + header_size, length - 1}};
    if (!handle(kind, content)) return false;
    in_begin_ += length_size + length;
  }
  return true;
}

std::string_view connection::unfinished(frame kind) const {
  if (arrived() < header_size) return {};
  const char* const at = in_.get() + in_begin_;
  if (static_cast<frame>(at[length_size]) != kind) return {};
  return {at + header_size, arrived() - header_size};
}

}  // namespace fmap::actors
