// SPDX-License-Identifier: BSD-3-Clause
// What arrives on a connection: frames, or what cannot be any.
#include <cstdint>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <unistd.h>

#include "actors/node/connection.hpp"
#include "support/catch.hpp"

using namespace fmap::actors;

namespace {

/// A connection to which anything can be written.
class wire_end {
public:
  explicit wire_end(peer other) : line_{open(), other} {}
  ~wire_end() { ::close(theirs_); }
  wire_end(const wire_end&) = delete;
  wire_end& operator=(const wire_end&) = delete;

  /// Whether what has arrived so far may be the beginning of something.
  bool believes(std::string_view bytes) {
    REQUIRE(::write(theirs_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    REQUIRE(line_.fill());
    return line_.each([this](frame, fmap::wire::reader&) { return ++frames, true; });
  }
  connection& line() { return line_; }

  int frames = 0;

private:
  int open() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    theirs_ = ends[1];
    return ends[0];
  }

  int theirs_ = -1;
  connection line_;
};

std::string header(std::uint64_t length, frame kind) {
  std::string result;
  for (int i = 0; i != 8; ++i) result += static_cast<char>(length >> (8 * i));
  return result + static_cast<char>(kind);
}

bool believes(peer other, std::string_view bytes) { return wire_end{other}.believes(bytes); }

}  // namespace

TEST_CASE("frames: text is not waited for as a frame") {
  for (const peer other : {peer::pool, peer::worker_process}) {
    CHECK_FALSE(believes(other, "hello, world, this is a line\n"));
    CHECK_FALSE(believes(other, std::string(100, '\0')));
    CHECK_FALSE(believes(other, std::string(100, '\xff')));
  }
}

TEST_CASE("frames: a few bytes before a frame are noticed as soon as its head is there") {
  const std::string outcomes = header(60, frame::outcomes);
  for (std::size_t n = 1; n != 9; ++n) {
    INFO(n << " bytes");
    CHECK_FALSE(believes(peer::worker_process, std::string(n, 'x') + outcomes));
    CHECK_FALSE(believes(peer::worker_process, std::string(n, '\n') + outcomes));
  }
}

TEST_CASE("frames: only what this peer sends is waited for, and only as much as it may send") {
  CHECK(believes(peer::worker_process, header(1000, frame::outcomes)));
  CHECK(believes(peer::pool, header(1000, frame::batch)));
  CHECK(believes(peer::pool, header(longest_frame, frame::batch)));
  CHECK_FALSE(believes(peer::pool, header(longest_frame + 1, frame::batch)));
  CHECK_FALSE(believes(peer::pool, header(0, frame::batch)));
  CHECK_FALSE(believes(peer::pool, header(1000, frame::outcomes)));
  CHECK_FALSE(believes(peer::worker_process, header(1000, frame::batch)));
  CHECK_FALSE(believes(peer::worker_process, header(1000, static_cast<frame>(11))));
}

TEST_CASE("frames: what came before is handed over; what arrives in pieces is waited for") {
  wire_end end{peer::worker_process};
  const std::string one = header(3, frame::returned) + "ab";
  CHECK(end.believes(one + one.substr(0, 4)));
  CHECK(end.frames == 1);
  CHECK(end.believes(one.substr(4)));
  CHECK(end.frames == 2);
  CHECK_FALSE(end.believes(one + "some text, no frame"));
  CHECK(end.frames == 3);
}

TEST_CASE("frames: a descriptor that became another file's is not used") {
  wire_end end{peer::pool};
  int others[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, others) == 0);
  REQUIRE(::dup2(others[0], end.line().fd()) >= 0);
  CHECK_FALSE(end.line().fill(true));
  end.line().send(frame::started);
  CHECK_FALSE(end.line().flush(true));
  char byte = 0;
  CHECK(::recv(others[1], &byte, 1, MSG_DONTWAIT) < 0);
  ::close(others[0]);
  ::close(others[1]);
}
