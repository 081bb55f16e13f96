// SPDX-License-Identifier: BSD-3-Clause
// How many of a pool's processes work at a time.
#include <memory>

#include "src/remote/start_slots.hpp"
#include "support/catch.hpp"

using fmap::remote::start_slots;

namespace {

struct counting_bell final : fmap::kernel::doorbell {
  void ring() noexcept override { ++rings; }
  int rings = 0;
};

std::shared_ptr<counting_bell> a_bell() { return std::make_shared<counting_bell>(); }

}  // namespace

TEST_CASE("start slots: as many as there are") {
  start_slots slots;
  const auto bell = a_bell();
  CHECK(slots.acquire(bell, 2));
  CHECK(slots.acquire(bell, 2));
  CHECK_FALSE(slots.acquire(bell, 2));
  slots.release();
  CHECK(bell->rings == 1);
  CHECK(slots.acquire(bell, 2));
  CHECK_FALSE(slots.acquire(bell, 2));
}

TEST_CASE("start slots: of those that are taken the surplus goes as they are released") {
  start_slots slots;
  const auto bell = a_bell();
  for (int i = 0; i != 3; ++i) REQUIRE(slots.acquire(bell, 3));
  slots.release();
  CHECK_FALSE(slots.acquire(bell, 1));
  slots.release();
  CHECK_FALSE(slots.acquire(bell, 1));
  CHECK(slots.acquire(bell, 2));
}

TEST_CASE("start slots: all who wait are rung once, however often they have asked") {
  start_slots slots;
  const auto owner = a_bell(), one = a_bell(), two = a_bell();
  REQUIRE(slots.acquire(owner, 1));
  CHECK_FALSE(slots.acquire(one, 1));
  CHECK_FALSE(slots.acquire(one, 1));
  CHECK_FALSE(slots.acquire(two, 1));
  slots.release();
  CHECK(one->rings == 1);
  CHECK(two->rings == 1);
  CHECK(owner->rings == 0);
  CHECK(slots.acquire(two, 1));
  slots.release();
  CHECK(one->rings == 1);  // it has not asked again
}

TEST_CASE("start slots: who was forgotten or has got one is not rung") {
  start_slots slots;
  const auto owner = a_bell(), gone = a_bell();
  REQUIRE(slots.acquire(owner, 1));
  CHECK_FALSE(slots.acquire(gone, 1));
  CHECK_FALSE(slots.acquire(owner, 1));
  slots.forget(gone);
  slots.release();
  CHECK(gone->rings == 0);
  CHECK(owner->rings == 1);
  CHECK(slots.acquire(owner, 1));
  slots.release();
  CHECK(owner->rings == 1);
}
