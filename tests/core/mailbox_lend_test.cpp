// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox as those see it who bring items one by one.

#include <memory>
#include <vector>

#include "support/catch.hpp"
#include "support/mailbox_stage.hpp"

using namespace testing;

namespace {

/// An item in the next slot.
void bring(lent_slots& slots, int item) {
  REQUIRE(slots.next != slots.end);
  ::new (slots.in->at(slots.next)) int(item);
  slots.in->state(slots.next++).store(fmap::detail::slot_state::item);
}

}  // namespace

TEST_CASE("mailbox: items that are brought are queued when the slots come back") {
  stage s{1};
  hand_worker w{s.box};
  const run_ptr r = s.open({.buffersize = 8}, [](int x) { return 2 * x; });
  lent_slots slots = s.box.lend(*r);
  bring(slots, 1);
  bring(slots, 2);
  w.work();
  CHECK(s.take(*r).empty());
  s.box.give_back(*r, slots);
  CHECK(w.bell->rung == 1);
  w.work();
  CHECK(s.take(*r) == std::vector{2, 4});
  s.box.close(*r);
}

TEST_CASE("mailbox: slots are lent as far as there are tokens") {
  stage s{1};
  const run_ptr r = s.open({.buffersize = 3}, [](int x) { return x; });
  int brought = 0;
  for (lent_slots slots; (slots = s.box.lend(*r)).in != nullptr;) {
    while (slots.next != slots.end) bring(slots, brought++);
    s.box.give_back(*r, slots);
  }
  CHECK(brought == 3);
  s.box.close(*r);
}

TEST_CASE("mailbox: what is being brought when the pool is shut down is finished") {
  stage s{1};
  hand_worker w{s.box};
  const run_ptr r = s.open({.buffersize = 8}, [](int x) { return x; });
  lent_slots slots = s.box.lend(*r);
  bring(slots, 1);
  s.box.shut_down();
  bring(slots, 2);
  CHECK(s.take(*r).empty());
  CHECK(s.last == next_result::wait);
  s.box.give_back(*r, slots);
  w.work();
  CHECK(s.take(*r) == std::vector{1, 2});
  CHECK(s.last == next_result::end);
  CHECK(s.box.lend(*r).in == nullptr);
  s.box.close(*r);
}

TEST_CASE("mailbox: what is being brought when the pool breaks ends with an error") {
  stage s{1};
  const run_ptr r = s.open({.buffersize = 8}, [](int x) { return x; });
  lent_slots slots = s.box.lend(*r);
  bring(slots, 1);
  s.box.break_up(cause());
  bring(slots, 2);
  s.box.give_back(*r, slots);
  CHECK(s.take(*r) == std::vector{-1, -1});
  CHECK(s.last == next_result::end);
  s.box.close(*r);
}

TEST_CASE("mailbox: what is being brought to a run that is stopped is dropped") {
  stage s{1};
  const run_ptr r = s.open({.buffersize = 8}, [](int x) { return x; });
  lent_slots slots = s.box.lend(*r);
  bring(slots, 1);
  s.box.stop(*r);
  bring(slots, 2);
  s.box.give_back(*r, slots);
  CHECK(s.box.stats(*r).counts.dropped == 2);
  CHECK(s.take(*r).empty());
  CHECK(s.last == next_result::end);
  s.box.close(*r);
}
