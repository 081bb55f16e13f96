// SPDX-License-Identifier: BSD-3-Clause
// Consecutive items as they arrive in a frame.
#include <cstdint>
#include <vector>

#include "src/remote/item_span.hpp"
#include "support/catch.hpp"

using fmap::remote::item_span;

TEST_CASE("item span: some of the items, and the others") {
  const std::vector<std::uint32_t> sizes{1, 0, 3};
  item_span items{10, 100, sizes, "abcd"};
  CHECK(items.count() == 3);
  CHECK(items.fits());
  CHECK(items.first(2).bytes == "a");
  CHECK(items.first(2).count() == 2);
  CHECK(items.first(2).index == 10);
  CHECK(items.first(3).bytes == "abcd");
  CHECK(items.first(0).bytes.empty());
  items.remove_first(2);
  CHECK(items.index == 12);
  CHECK(items.place == 102);
  CHECK(items.bytes == "bcd");
  CHECK(items.fits());
  items.remove_first(1);
  CHECK(items.count() == 0);
  CHECK(items.bytes.empty());
}

TEST_CASE("item span: sizes that are not those of the bytes") {
  const std::vector<std::uint32_t> huge(2, 0xffff'ffff), small{1, 1};
  CHECK_FALSE((item_span{0, 0, huge, "ab"}.fits()));
  CHECK_FALSE((item_span{0, 0, small, "abc"}.fits()));
  CHECK_FALSE((item_span{0, 0, {}, "a"}.fits()));
  CHECK((item_span{0, 0, small, "ab"}.fits()));
}
