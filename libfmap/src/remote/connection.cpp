// SPDX-License-Identifier: BSD-3-Clause
// Frames over a stream, between a pool and one peer.

#include "src/remote/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>

namespace fmap::remote {

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

/// Waits that many milliseconds; -1: until it is.
bool ready(int fd, short events, int milliseconds) {
  pollfd p{fd, events, 0};
  int n = 0;
  while ((n = ::poll(&p, 1, milliseconds)) < 0 && errno == EINTR) {}
  return n != 0;
}

}  // namespace

std::size_t connection::begin(frames::kind kind) {
  const std::size_t start = out_.size();
  out_.append(length_size, '\0');
  out_.push_back(static_cast<char>(kind));
  return start;
}

/// `more`: bytes of the frame that are not in out_.
void connection::finish(std::size_t start, std::size_t more) {
  put_length(out_.data() + start, out_.size() - start - length_size + more);
}

bool connection::finish_and_write(std::size_t start, std::string_view body) {
  if (body.size() < small_frame) {
    out_.append(body);
    finish(start, 0);
    return waiting() < small_frame || flush_all();
  }
  finish(start, body.size());
  std::size_t done = 0;
  return flush_all() && write_all(body, done);
}

/// Writes from `done` on, whatever happens to the stream's descriptors meanwhile.
bool connection::write_all(std::string_view all, std::size_t& done) {
  if (!bytes_->intact()) return false;
  while (done != all.size()) {
    const auto n = bytes_->write_some(all.data() + done, all.size() - done);
    if (n == stream::gone) return false;
    if (n == 0) ready(bytes_->write_fd(), POLLOUT, -1);
    done += static_cast<std::size_t>(n);
  }
  return true;
}

bool connection::flush() {
  while (waiting() != 0) {
    const auto n = bytes_->write_some(out_.data() + written_, waiting());
    if (n == stream::gone) return false;
    if (n == 0) break;
    written_ += static_cast<std::size_t>(n);
  }
  forget_written();
  return true;
}

bool connection::flush_all() {
  if (!write_all(out_, written_)) return false;
  forget_written();
  return true;
}

void connection::forget_written() {
  if (written_ == out_.size()) {
    written_ = 0;
    out_.clear();
    if (out_.capacity() > 4 * read_at_once) out_.shrink_to_fit();
  } else if (written_ > read_at_once && written_ > out_.size() / 2) {
    out_.erase(0, std::exchange(written_, 0));
  }
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

bool connection::fill() {
  make_room();
  const auto n = bytes_->read_some(in_.get() + in_end_, in_size_ - in_end_);
  if (n == stream::gone) return false;
  in_end_ += static_cast<std::size_t>(n);
  return true;
}

bool connection::wait_and_fill() {
  const std::size_t before = arrived();
  for (;;) {
    if (!fill()) return false;
    if (arrived() != before) return true;
    if (!bytes_->intact()) return false;
    const int fd = bytes_->read_fd();
    if (!spin_.wait([&] { return ready(fd, POLLIN, 0); })) ready(fd, POLLIN, -1);
  }
}

/// Whether the other end may send such a frame.
bool connection::possible(std::uint64_t length, frames::kind kind) const {
  const bool to_peer = other_ == other_end::pool;
  return length != 0 && length <= longest_ && kind <= frames::last_kind
         && (to_peer ? frames::for_peer(kind) : frames::for_pool(kind));
}

bool connection::each(const handler& handle) {
  while (arrived() >= header_size) {
    const char* const at = in_.get() + in_begin_;
    const std::uint64_t length = get_length(at);
    const auto kind = static_cast<frames::kind>(at[length_size]);
    if (!possible(length, kind)) return false;
    if (length > arrived() - length_size) break;
    wire::reader content{std::string_view{at + header_size, length - 1}};
    if (!handle(kind, content)) return false;
    in_begin_ += length_size + length;
  }
  return true;
}

std::string_view connection::unfinished(frames::kind kind) const {
  if (arrived() < header_size) return {};
  const char* const at = in_.get() + in_begin_;
  if (static_cast<frames::kind>(at[length_size]) != kind) return {};
  return {at + header_size, arrived() - header_size};
}

}  // namespace fmap::remote
