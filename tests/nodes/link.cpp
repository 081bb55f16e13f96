// SPDX-License-Identifier: BSD-3-Clause
// The parts of a link: its preamble, and its signs of life.
#include <string>
#include <vector>

#include "src/remote/link/beat.hpp"
#include "src/remote/link/link_stream.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fmap::remote::beat;
using fmap::remote::preamble;
using fmap::remote::preamble_search;

namespace {

struct reading {
  std::vector<std::string> lines;
  std::string rest;
  bool found = false, hopeless = false;

  friend bool operator==(const reading&, const reading&) = default;
};

/// Feeds a text in pieces of this size.
reading read(const std::string& text, std::size_t piece, std::size_t most = 1000) {
  preamble_search search{most};
  reading result;
  for (std::size_t i = 0; i < text.size(); i += piece) {
    std::string part = text.substr(i, piece);
    if (!search.found()) {
      const std::size_t used = search.feed(part);
      REQUIRE(used <= part.size());
      for (std::string line; search.next_line(line);) result.lines.push_back(line);
      part.erase(0, used);
      CHECK((search.found() || part.empty()));
    }
    result.rest += part;
  }
  result.found = search.found();
  result.hopeless = search.hopeless();
  return result;
}

const std::string mark{preamble};

}  // namespace

TEST_CASE("link: the preamble is found, whatever was printed before it, however it arrives") {
  for (std::size_t piece = 1; piece != 40; ++piece) {
    INFO("pieces of " << piece);
    CHECK(read(mark + "abc", piece) == reading{{}, "abc", true, false});
    CHECK(read("one\ntwo\n" + mark + "abc", piece) == reading{{"one", "two"}, "abc", true, false});
    CHECK(read("FMAP FMAP\n" + mark.substr(0, 5) + mark, piece)
          == reading{{"FMAP FMAP", mark.substr(0, 5)}, "", true, false});
    CHECK(read(mark + mark, piece) == reading{{}, mark, true, false});
  }
}

TEST_CASE("link: too much noise is hopeless") {
  CHECK_FALSE(read(std::string(1000, 'x'), 100).hopeless);
  CHECK(read(std::string(1008, 'x'), 100).hopeless);
  CHECK(read("x" + mark, 1, 0).hopeless);
  CHECK(read(mark, 100, 0).found);
  CHECK(read(mark, 1, 0).found);
}

TEST_CASE("beat: one is due after the heartbeat, and silence is noticed") {
  beat b{1s, 15s, 100s};
  CHECK(b.due(100s));
  CHECK(b.next(100s).number == 1);
  CHECK_FALSE(b.due(100900ms));
  CHECK(b.pause(100900ms) == 101);
  CHECK(b.due(101s));
  CHECK_FALSE(b.quiet(105s));
  CHECK(b.quiet(106s));
  CHECK_FALSE(b.silent(115s));
  CHECK(b.silent(116s));
  b.heard(116s);
  CHECK_FALSE(b.quiet(116s));
}

TEST_CASE("beat: the round trip is measured without the time that a beat lay at the other side") {
  beat here{1s, 15s, 0s}, there{1s, 15s, 0s};
  there.received(here.next(10s), 510s);  // their clock is another one
  const auto answer = there.next(513s);
  here.received(answer, 13s + 40ms);
  CHECK(here.round_trip() == 40ms);
  here.received(answer, 20s);  // repeated
  CHECK(here.round_trip() == 40ms);
  here.received({9, 77, 0}, 20s);  // of one that was never sent
  CHECK(here.round_trip() == 40ms);
  for (int i = 0; i != 1000; ++i) here.next(30s);
  here.received({10, 500, 0}, 30s);  // forgotten
  CHECK(here.round_trip() == 40ms);
  here.received({11, 1000, ~std::uint64_t{0}}, 31s);
  CHECK(here.round_trip() == 0s);
}
