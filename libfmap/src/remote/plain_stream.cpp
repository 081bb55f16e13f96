// SPDX-License-Identifier: BSD-3-Clause
// A stream over a socket, or over the standard input and output of a command.

#include "src/remote/plain_stream.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fmap::remote {

namespace {

void set_non_blocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0) ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/// Which file it is; 0 if none.
std::uint64_t inode_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 ? about.st_ino : 0;
}

/// When nobody reads a pipe any more the kernel sends this thread a signal that would end the program.
ssize_t write_to_pipe(int fd, const char* from, std::size_t size) {
  sigset_t no_reader, before;
  sigemptyset(&no_reader);
  sigaddset(&no_reader, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &no_reader, &before);
  const ssize_t n = ::write(fd, from, size);
  const int error = errno;
  if (n < 0 && error == EPIPE && !sigismember(&before, SIGPIPE)) {
    constexpr timespec at_once{};
    ::sigtimedwait(&no_reader, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return n;
}

bool worth_waiting_for(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

plain_stream::end plain_stream::of(int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return {fd, 0, false};
  return {fd, about.st_ino, S_ISSOCK(about.st_mode)};
}

plain_stream::plain_stream(int socket) : in_{of(socket)}, out_{in_} {}

plain_stream::plain_stream(int in, int out) : in_{of(in)}, out_{of(out)} {
  set_non_blocking(in);
  set_non_blocking(out);
}

plain_stream::~plain_stream() {
  if (!shared() && out_.fd >= 0) ::close(out_.fd);
  if (in_.fd >= 0) ::close(in_.fd);
}

stream::moved plain_stream::read_some(char* to, std::size_t size) {
  for (;;) {
    // Never blocks in here: whoever does is also woken each time the other end reads.
    const ssize_t n =
        in_.socket ? ::recv(in_.fd, to, size, MSG_DONTWAIT) : ::read(in_.fd, to, size);
    if (n > 0) return n;
    if (n == 0) return gone;
    if (worth_waiting_for(errno)) return 0;
    if (errno != EINTR) return gone;
  }
}

stream::moved plain_stream::write_some(const char* from, std::size_t size) {
  for (;;) {
    const ssize_t n = out_.socket ? ::send(out_.fd, from, size, MSG_NOSIGNAL | MSG_DONTWAIT)
                                  : write_to_pipe(out_.fd, from, size);
    if (n >= 0) return n;
    if (worth_waiting_for(errno)) return 0;
    if (errno != EINTR) return gone;
  }
}

bool plain_stream::intact() const {
  return inode_of(in_.fd) == in_.inode
         && (shared() || out_.fd < 0 || inode_of(out_.fd) == out_.inode);
}

void plain_stream::end_output() noexcept {
  if (out_.socket)
    ::shutdown(out_.fd, SHUT_WR);
  else if (!shared() && out_.fd >= 0)
    ::close(std::exchange(out_.fd, -1));
}

void plain_stream::cut() noexcept {
  if (in_.socket) ::shutdown(in_.fd, SHUT_RDWR);
  if (!shared()) end_output();
}

}  // namespace fmap::remote
