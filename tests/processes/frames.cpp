// SPDX-License-Identifier: BSD-3-Clause
// What arrives on a connection: frames, or what cannot be any.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <unistd.h>

#include "src/remote/connection.hpp"
#include "src/remote/plain_stream.hpp"
#include "support/catch.hpp"

using namespace fmap::remote;
using frames::kind;

namespace {

/// A connection to which anything can be written.
class wire_end {
public:
  explicit wire_end(other_end other) : line_{std::make_unique<plain_stream>(open()), other} {}
  ~wire_end() { ::close(theirs_); }
  wire_end(const wire_end&) = delete;
  wire_end& operator=(const wire_end&) = delete;

  /// Whether what has arrived so far may be the beginning of something.
  bool believes(std::string_view bytes) {
    REQUIRE(::write(theirs_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    REQUIRE(line_.fill());
    return line_.each([this](kind, fmap::wire::reader&) { return ++count, true; });
  }
  connection& line() { return line_; }

  int count = 0;

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

std::string header(std::uint64_t length, kind what) {
  std::string result;
  for (int i = 0; i != 8; ++i) result += static_cast<char>(length >> (8 * i));
  return result + static_cast<char>(what);
}

bool believes(other_end other, std::string_view bytes) { return wire_end{other}.believes(bytes); }

}  // namespace

TEST_CASE("frames: text is not waited for as a frame") {
  for (const other_end other : {other_end::pool, other_end::peer}) {
    CHECK_FALSE(believes(other, "hello, world, this is a line\n"));
    CHECK_FALSE(believes(other, std::string(100, '\0')));
    CHECK_FALSE(believes(other, std::string(100, '\xff')));
  }
}

TEST_CASE("frames: a few bytes before a frame are noticed as soon as its head is there") {
  const std::string outcomes = header(60, kind::outcomes);
  for (std::size_t n = 1; n != 9; ++n) {
    INFO(n << " bytes");
    CHECK_FALSE(believes(other_end::peer, std::string(n, 'x') + outcomes));
    CHECK_FALSE(believes(other_end::peer, std::string(n, '\n') + outcomes));
  }
}

TEST_CASE("frames: only what this peer sends is waited for, and only as much as it may send") {
  CHECK(believes(other_end::peer, header(1000, kind::outcomes)));
  CHECK(believes(other_end::pool, header(1000, kind::batch)));
  CHECK(believes(other_end::pool, header(frames::longest, kind::batch)));
  CHECK_FALSE(believes(other_end::pool, header(frames::longest + 1, kind::batch)));
  CHECK_FALSE(believes(other_end::pool, header(0, kind::batch)));
  CHECK_FALSE(believes(other_end::pool, header(1000, kind::outcomes)));
  CHECK_FALSE(believes(other_end::peer, header(1000, kind::batch)));
  CHECK_FALSE(believes(other_end::peer,
                       header(1000, static_cast<kind>(static_cast<int>(frames::last_kind) + 1))));
}

TEST_CASE("frames: what came before is handed over; what arrives in pieces is waited for") {
  wire_end end{other_end::peer};
  const std::string one = header(3, kind::returned) + "ab";
  CHECK(end.believes(one + one.substr(0, 4)));
  CHECK(end.count == 1);
  CHECK(end.believes(one.substr(4)));
  CHECK(end.count == 2);
  CHECK_FALSE(end.believes(one + "some text, no frame"));
  CHECK(end.count == 3);
}

TEST_CASE("frames: a descriptor that became another file's is not used") {
  wire_end end{other_end::pool};
  int others[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, others) == 0);
  REQUIRE(::dup2(others[0], end.line().bytes().read_fd()) >= 0);
  CHECK_FALSE(end.line().wait_and_fill());
  end.line().send(frames::started{});
  CHECK_FALSE(end.line().flush_all());
  char byte = 0;
  CHECK(::recv(others[1], &byte, 1, MSG_DONTWAIT) < 0);
  ::close(others[0]);
  ::close(others[1]);
}
