// SPDX-License-Identifier: BSD-3-Clause
// Bells that need memory while there is none.

#include <new>

#include "src/kernel/doorbell.hpp"
#include "support/catch.hpp"

TEST_CASE("who rings waits until there is memory") {
  int calls = 0;
  fmap::kernel::patiently([&] {
    if (++calls < 4) throw std::bad_alloc{};
  });
  CHECK(calls == 4);
}

TEST_CASE("who rings does not wait for memory for ever") {
  int calls = 0;
  const auto never = [&] {
    ++calls;
    throw std::bad_alloc{};
  };
  CHECK_THROWS_AS(fmap::kernel::patiently(never, 3), std::bad_alloc);
  CHECK(calls == 3);
}
