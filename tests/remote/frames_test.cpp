// SPDX-License-Identifier: BSD-3-Clause
// The frames between a pool and its peers: how they lie in bytes, and bytes that are none.
#include <cstdint>
#include <string>
#include <string_view>

#include "src/remote/frames.hpp"
#include "support/catch.hpp"

namespace frames = fmap::remote::frames;
using namespace std::string_literals;

namespace {

template <class Frame>
std::string bytes_of(const Frame& x) {
  std::string result;
  fmap::wire::writer w{result};
  REQUIRE(w.apply(x));
  return result;
}

template <class Frame>
bool reads(std::string_view bytes, Frame& x) {
  fmap::wire::reader r{bytes};
  return frames::read(r, x);
}

/// Calls `f` with one frame of each kind, and its bytes.
template <class F>
void each_frame(F f) {
  f(frames::setup{3, "init", -5, 4096}, "\3\0\0\0\4init\xfb\xff\xff\xff\1\0\x10\0\0\0\0\0\0"s);
  f(frames::open{258, "fn", "ab", 5, true, 9},
    "\2\1\0\0\0\0\0\0\2fn\2ab\5\0\0\0\0\0\0\0\1\11\0\0\0"s);
  f(frames::batch{1, 2, 3, true, {4, 5}},
    "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\1\2\4\0\0\0\5\0\0\0"s);
  f(frames::recall{7}, "\7\0\0\0\0\0\0\0"s);
  f(frames::close{8}, "\x8\0\0\0\0\0\0\0"s);
  f(frames::quit{true}, "\1"s);
  f(frames::welcome{1, 2, 3, 4, "in", 5, 6, 7, {"A=b"}, -1, {}},
    "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4\0\0\0\2in"
    "\1\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\1\3A=b\xff\xff\xff\xff\0"s);
  f(frames::refused{"why", true}, "\3why\1"s);
  f(frames::leave{5}, "\5\0\0\0\0\0\0\0"s);
  f(frames::beat{1, 2, 3}, "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0"s);
  f(frames::hello{9, "print", "n", "h", 258, 2, {3, 4}},
    "\x9\0\0\0\5print\1n\1h\2\1\0\0\2\0\0\0\3\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0"s);
  f(frames::outcomes{1, 2, 3, {4}}, "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\1\4\0\0\0"s);
  f(frames::returned{1, 2, 3}, "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0"s);
  f(frames::started{}, ""s);
  f(frames::closed{4}, "\4\0\0\0\0\0\0\0"s);
  f(frames::leaving{"why", 5}, "\3why\5\0\0\0\0\0\0\0"s);
  f(frames::broken{}, "\1"s);
}

}  // namespace

TEST_CASE("frames: the bytes of protocol version 4, there and back") {
  CHECK(fmap::detail::protocol_version == 4);
  int kinds = 0;
  each_frame([&]<class Frame>(const Frame& sent, const std::string& expected) {
    INFO("kind " << static_cast<int>(Frame::is));
    CHECK(static_cast<int>(Frame::is) == kinds++);
    CHECK(bytes_of(sent) == expected);
    Frame received;
    CHECK(reads(expected, received));
    CHECK(received == sent);
  });
  CHECK(kinds == static_cast<int>(frames::last_kind) + 1);
}

TEST_CASE("frames: who sends which") {
  each_frame([]<class Frame>(const Frame&, const std::string&) {
    INFO("kind " << static_cast<int>(Frame::is));
    CHECK(frames::for_peer(Frame::is) == (static_cast<int>(Frame::is) < 10));
    CHECK(frames::for_pool(Frame::is) == (static_cast<int>(Frame::is) > 8));
  });
}

TEST_CASE("frames: one that is cut off anywhere is malformed") {
  each_frame([]<class Frame>(const Frame&, const std::string& bytes) {
    for (std::size_t n = 0; n != bytes.size(); ++n) {
      INFO("kind " << static_cast<int>(Frame::is) << ", " << n << " bytes");
      Frame received;
      CHECK_FALSE(reads(std::string_view{bytes}.substr(0, n), received));
    }
  });
}

TEST_CASE("frames: what follows is read by whoever expects it, and is malformed elsewhere") {
  each_frame([]<class Frame>(const Frame& sent, const std::string& bytes) {
    INFO("kind " << static_cast<int>(Frame::is));
    const std::string more = bytes + "more";
    fmap::wire::reader r{more};
    Frame received;
    CHECK(frames::read(r, received) == frames::has_body<Frame>);
    if (frames::has_body<Frame>) {
      CHECK(received == sent);
      CHECK(r.rest() == "more");
    }
  });
}

TEST_CASE("frames: impossible lengths take no memory") {
  for (const auto& length : {"\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, "\xff\xff\xff\xff\x0f"s,
                             "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"s, "\x03"s}) {
    frames::batch batch;
    CHECK_FALSE(reads(std::string(20, '\0') + length + "\1\0\0\0\2\0\0\0", batch));
    CHECK(batch.sizes.capacity() < 100);
    frames::outcomes outcomes;
    CHECK_FALSE(reads(std::string(24, '\0') + length + "\1\0\0\0\2\0\0\0", outcomes));
    CHECK(outcomes.sizes.capacity() < 100);
    frames::open open;
    CHECK_FALSE(reads(std::string(8, '\0') + length + "ab", open));
    CHECK(open.function.capacity() < 100);
  }
}

TEST_CASE("frames: an optional is there or not, and nothing else") {
  const std::string bytes = bytes_of(frames::setup{1, "", 0, {}});
  for (int flag = 1; flag != 256; ++flag) {
    frames::setup received;
    CHECK_FALSE(reads(bytes.substr(0, bytes.size() - 1) + static_cast<char>(flag), received));
  }
}
