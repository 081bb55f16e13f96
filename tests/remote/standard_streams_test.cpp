// SPDX-License-Identifier: BSD-3-Clause
// Standard streams that are closed stay closed for the program, while fmap opens descriptors of its own.
#include <cerrno>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/remote/standard_streams.hpp"
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
    const fmap::remote::standard_streams streams;
    unusable();
    for (const int fd : {0, 1, 2}) failed += !streams.missing(fd);
    failed += ::open("/dev/null", O_RDWR) <= 2;
  }
  unusable();
  return failed;
}

}  // namespace

TEST_CASE("standard streams: what is closed cannot be used, neither meanwhile nor later") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(with_streams_closed());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
