// SPDX-License-Identifier: BSD-3-Clause
// Time that passes while somebody watches.
#include "src/remote/watched_time.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fmap::remote::watched_time;

TEST_CASE("watched time: what passes between two looks counts, up to the interval") {
  const watched_time::clock::time_point start{};
  watched_time t{start};
  t.look(start + 30ms, 100ms);
  CHECK(t.now() == 30ms);
  t.look(start + 130ms, 100ms);
  CHECK(t.now() == 130ms);
  t.look(start + 300ms, 100ms);
  CHECK(t.now() == 230ms);
}

TEST_CASE("watched time: a long absence of the watcher does not count") {
  const watched_time::clock::time_point start{};
  watched_time t{start};
  t.look(start + 100ms, 100ms);
  t.look(start + 4s, 100ms);
  t.look(start + 24h, 100ms);
  CHECK(t.now() == 100ms);
  t.look(start + 24h + 50ms, 100ms);
  CHECK(t.now() == 150ms);
}

TEST_CASE("watched time: nothing counts where nothing is watched") {
  const watched_time::clock::time_point start{};
  watched_time t{start};
  t.look(start + 5ms, 0ms);
  CHECK(t.now() == 0ms);
}
