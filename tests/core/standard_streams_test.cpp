// SPDX-License-Identifier: BSD-3-Clause
// Standard streams that are closed stay closed for the program, while fmap opens descriptors of its own.
#include <cerrno>
#include <cstddef>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/core/standard_streams.hpp"
#include "support/catch.hpp"

namespace {

bool fails(ssize_t done) { return done == -1 && errno == EBADF; }

/// In a process of its own: how many of these checks failed.
int with_streams_closed() {
  for (const int fd : {0, 1, 2}) ::close(fd);
  int failed = 0;
  char byte = 0;
  const auto unusable = [&] {
    for (const int fd : {0, 1, 2}) {
      failed += !fails(::write(fd, &byte, 1));
      failed += !fails(::read(fd, &byte, 1));
    }
  };
  {
    const fmap::detail::standard_streams streams;
    unusable();
    for (const int fd : {0, 1, 2}) failed += !streams.missing(fd);
    failed += ::open("/dev/null", O_RDWR) <= 2;
  }
  unusable();
  return failed;
}

/// Somebody else's descriptor is in the place of standard output until these are made; `open` is what makes ours.
template <std::size_t N, class Open>
int with_somebody_else(Open open) {
  int fds[N];
  int failed = 0, calls = 0;
  char byte = 0;
  for (const int fd : {0, 1, 2}) ::close(fd);
  failed += ::open("/dev/null", O_RDWR) != 0;
  const int somebody = ::open("/dev/null", O_RDONLY);
  failed += somebody != 1;
  {
    fmap::detail::standard_streams streams;
    failed += streams.missing(1) || !streams.missing(2);
    ::close(somebody);
    failed += !streams.make(fds, [&](int* them) {
      const bool done = open(them);
      // The program writes to its closed standard output meanwhile.
      if (++calls == 1 && ::write(1, &byte, 1) < 0 && errno == EPIPE) ++failed;
      return done;
    });
    failed += calls != 2;
    for (const int fd : fds) failed += fd <= 2 || ::fcntl(fd, F_GETFD) < 0;
    failed += !fails(::write(1, &byte, 1));
    if constexpr (N == 2) {
      ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
      failed +=
          ::read(fds[0], &byte, 1) != -1 || errno != EAGAIN;  // what was written is not in there
    }
  }
  failed += !fails(::write(1, &byte, 1));
  failed += ::fcntl(0, F_GETFD) < 0;
  return failed;
}

template <class Checks>
int status_of_child(Checks checks) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(checks());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

TEST_CASE("standard streams: what is closed cannot be used, neither meanwhile nor later") {
  CHECK(status_of_child(with_streams_closed) == 0);
}

TEST_CASE(
    "standard streams: a place that somebody else had for a moment is not fmap's afterwards") {
  CHECK(status_of_child([] {
          return with_somebody_else<2>(
              [](int* them) { return ::socketpair(AF_UNIX, SOCK_STREAM, 0, them) == 0; });
        })
        == 0);
  CHECK(status_of_child(
            [] { return with_somebody_else<2>([](int* them) { return ::pipe(them) == 0; }); })
        == 0);
  CHECK(status_of_child([] {
          return with_somebody_else<1>([](int* it) { return (*it = ::eventfd(0, 0)) >= 0; });
        })
        == 0);
}

TEST_CASE("standard streams: in a program of fmap's those that are missing are /dev/null") {
  CHECK(status_of_child([] {
          ::close(0);
          ::close(2);
          fmap::detail::open_missing_streams();
          char byte = 0;
          return (::read(0, &byte, 1) != 0) + (::write(2, &byte, 1) != 1)
                 + (::open("/dev/null", O_RDONLY) <= 2);
        })
        == 0);
}
