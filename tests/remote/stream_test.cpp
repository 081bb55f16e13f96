// SPDX-License-Identifier: BSD-3-Clause
// Bytes over a socket pair, and over the standard input and output of a command.
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/remote/command_peer.hpp"
#include "src/remote/connection.hpp"
#include "src/remote/plain_stream.hpp"
#include "support/catch.hpp"

using namespace fmap::remote;

namespace {

const std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin"};

struct socket_pair {
  socket_pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0); }
  int fd[2];
};

void await(int fd, short events) {
  pollfd p{fd, events, 0};
  REQUIRE(::poll(&p, 1, 60'000) == 1);
}

/// Reads until there are so many bytes, or the other end is gone.
std::string read_from(stream& s, std::size_t size) {
  std::string result;
  char buffer[4096];
  while (result.size() < size) {
    const auto n = s.read_some(buffer, sizeof buffer);
    if (n == stream::gone) break;
    if (n == 0) await(s.read_fd(), POLLIN);
    result.append(buffer, static_cast<std::size_t>(n));
  }
  return result;
}

void end_output(stream& s) { dynamic_cast<plain_stream&>(s).end_output(); }

}  // namespace

TEST_CASE("plain stream: a socket takes and gives what it can, and blocks nobody") {
  socket_pair ends;
  plain_stream one{ends.fd[0]}, two{ends.fd[1]};
  char byte = 0;
  CHECK(one.read_fd() == one.write_fd());
  CHECK(two.read_some(&byte, 1) == 0);
  CHECK(one.write_some("ab", 2) == 2);
  CHECK(read_from(two, 2) == "ab");
  const std::string much(1 << 20, 'x');
  std::size_t written = 0;
  while (const auto n = one.write_some(much.data(), much.size()))
    written += static_cast<std::size_t>(n);
  CHECK(written > 0);
  one.cut();
  CHECK(read_from(two, written + 1).size() == written);
  CHECK(two.read_some(&byte, 1) == stream::gone);
  CHECK(one.write_some("a", 1) == stream::gone);
}

TEST_CASE("plain stream: whoever writes to nobody learns it, and lives") {
  socket_pair ends;
  {
    plain_stream one{ends.fd[0]};
    ::close(ends.fd[1]);
    CHECK(one.write_some("a", 1) == stream::gone);
  }
  int pipes[2], other[2];
  REQUIRE(::pipe(pipes) == 0);
  REQUIRE(::pipe(other) == 0);
  plain_stream s{other[0], pipes[1]};
  ::close(pipes[0]);
  CHECK(s.write_some("a", 1) == stream::gone);
  sigset_t pending;
  ::sigpending(&pending);
  CHECK_FALSE(sigismember(&pending, SIGPIPE));
  ::close(other[1]);
}

TEST_CASE("plain stream: a descriptor that became another file's") {
  socket_pair ends, others;
  plain_stream one{ends.fd[0]};
  CHECK(one.intact());
  REQUIRE(::dup2(others.fd[0], one.read_fd()) >= 0);
  CHECK_FALSE(one.intact());
  for (const int fd : {ends.fd[1], others.fd[0], others.fd[1]}) ::close(fd);
}

TEST_CASE("command peer: frames through cat's standard input and output") {
  command_peer cat{"exec cat", environment};
  connection line{cat.start(), other_end::peer};
  CHECK(line.bytes().read_fd() != line.bytes().write_fd());
  CHECK(line.bytes().intact());
  const std::string body(1 << 20, 'b');  // far more than a pipe holds
  for (std::uint64_t i = 0; i != 3; ++i) line.send(frames::outcomes{i, 2, 3, {4, 5}}, body);
  std::vector<std::uint64_t> runs;
  while (runs.size() != 3) {
    const std::size_t before = line.arrived();
    REQUIRE(line.flush());
    REQUIRE(line.fill());
    REQUIRE(line.each([&](frames::kind kind, fmap::wire::reader& r) {
      frames::outcomes frame;
      CHECK(kind == frames::kind::outcomes);
      CHECK(frames::read(r, frame));
      CHECK(frame.sizes == std::vector<std::uint32_t>{4, 5});
      CHECK(r.rest() == body);
      runs.push_back(frame.run);
      return true;
    }));
    if (line.arrived() == before && runs.size() != 3) await(line.bytes().read_fd(), POLLIN);
  }
  CHECK(runs == std::vector<std::uint64_t>{0, 1, 2});
  end_output(line.bytes());
  CHECK_FALSE(line.wait_and_fill());
  CHECK(line.bytes().intact());
  const fmap::worker_death death = cat.reap();
  CHECK(death.signal == 0);
  CHECK(death.exit_code == 0);
  CHECK(death.pid > 0);
  CHECK(cat.end_fd() == -1);
}

TEST_CASE("command peer: nobody sees how far it gets") {
  command_peer cat{"exec cat", environment};
  const auto line = cat.start();
  const witness::places where = cat.seen_by().reserve(5);
  CHECK(where.count == 5);
  for (std::uint32_t i = 0; i != 5; ++i)
    CHECK(cat.seen_by().state_of(where.first + i) == mark::unseen);
  cat.seen_by().free(where.first, 5);
  CHECK_FALSE(cat.seen_by().out_of_memory());
  CHECK(cat.description() == "exec cat");
}

TEST_CASE("command peer: its environment, its exit code, and what it says on its way") {
  command_peer command{"echo $WORD; exit 3", {"WORD=hello"}};
  const auto line = command.start();
  CHECK(read_from(*line, 100) == "hello\n");
  CHECK(command.reap().exit_code == 3);
}

TEST_CASE("command peer: a command that does not exist") {
  command_peer command{"exec /no/such/command 2>/dev/null", environment};
  const auto line = command.start();
  CHECK(read_from(*line, 100).empty());
  CHECK(command.reap().exit_code == 127);
}

TEST_CASE("command peer: it is killed with all that it has started") {
  command_peer command{"exec 3<&0; cat <&3 & echo started; wait", environment};
  auto line = command.start();
  CHECK(read_from(*line, 8) == "started\n");
  SECTION("kill") {
    command.kill();
    CHECK(command.reap().signal == SIGKILL);
  }
  SECTION("terminate") {
    command.terminate();
    CHECK(command.reap().signal == SIGTERM);
  }
  // cat had this pipe's other end, too.
  CHECK(read_from(*line, 100).empty());
}

TEST_CASE("command peer: what it leaves behind ends when it is collected") {
  command_peer command{"exec 3<&0; cat <&3 & echo started", environment};
  auto line = command.start();
  CHECK(read_from(*line, 8) == "started\n");
  CHECK(command.reap().exit_code == 0);
  CHECK(read_from(*line, 100).empty());
}

TEST_CASE("command peer: one that nobody collects ends with its object") {
  std::unique_ptr<stream> line;
  {
    command_peer command{"exec cat", environment};
    line = command.start();
  }
  CHECK(read_from(*line, 1).empty());
}
