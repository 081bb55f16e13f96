// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox step by step: what is told at once, and what is told where nobody ticks.

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include <fmap/errors.hpp>

#include "support/catch.hpp"
#include "support/mailbox_stage.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

int same(int x) { return x; }

/// Of items that cost so much dozens are ready before somebody is called.
constexpr auto light = 10us;

}  // namespace

TEST_CASE(
    "mailbox: a stop calls a sleeping consumer at once, though all workers are inside calls") {
  stage s{1};
  hand_worker w{s.box};
  run_ptr r;
  int rung = 0;
  bool told = false;
  r = s.open(
      {.buffersize = 2},
      [&](int x) {
        if (x != 0) return x;
        CHECK(s.take(*r).empty());
        CHECK(s.last == next_result::wait);
        s.box.stop(*r);
        rung = s.sink->rung;
        told = r->seen.something_for_sink;
        return x;
      },
      2);
  s.pull_all(*r);
  w.work();
  CHECK(rung == 1);
  CHECK(told);
  CHECK(s.take(*r).empty());
  CHECK(s.last == next_result::end);
  s.box.close(*r);
}

TEST_CASE("mailbox: it is counted why somebody was called, and why not") {
  stage s{1};
  hand_worker w{s.box};
  const auto counted = [&](because why) { return s.box.counted()[static_cast<std::size_t>(why)]; };
  const run_ptr r = s.open({.buffersize = 4, .chunksize = 1}, same, 4);
  w.work();
  CHECK(counted(because::backlog) == 0);
  s.pull_all(*r);
  CHECK(counted(because::backlog) != 0);
  CHECK(s.take(*r).empty());
  CHECK(counted(because::over) == 0);
  s.box.stop(*r);
  CHECK(counted(because::over) == 1);
  s.box.close(*r);
}

TEST_CASE("mailbox: a stop is seen at once by a consumer that looks for a moment") {
  stage s{1};
  hand_worker w{s.box};
  run_ptr r;
  bool before = true, after = false;
  r = s.open(
      {.buffersize = 2},
      [&](int x) {
        if (x != 0) return x;
        outcome_span none;
        CHECK(s.box.next_looking(*r, none) == next_result::wait);
        before = r->seen.something_for_sink;
        s.box.stop(*r);
        after = r->seen.something_for_sink;
        return x;
      },
      2);
  s.pull_all(*r);
  w.work();
  CHECK_FALSE(before);
  CHECK(after);
  s.box.close(*r);
}

TEST_CASE("mailbox: without a supervisor a consumer is called for whatever is ready") {
  stage s{1};
  s.box.set_supervisor(nullptr);
  hand_worker w{s.box};
  run_ptr r;
  int rung = -1;
  r = s.open(
      {.buffersize = 256, .chunksize = 2, .expected_cost = light},
      [&](int x) {
        if (x == 2) s.take(*r);
        if (x == 4) rung = s.sink->rung;
        return x;
      },
      64);
  s.pull_all(*r);
  w.work();
  CHECK(rung == 1);
  s.box.close(*r);
}

TEST_CASE("mailbox: without a supervisor a worker is called for whatever is queued") {
  stage s{2};
  s.box.set_supervisor(nullptr);
  hand_worker idle{s.box}, w{s.box};
  run_ptr r, other;
  int rung = -1;
  r = s.open(
      {.buffersize = 1},
      [&](int x) {
        idle.work();
        const int before = idle.bell->rung;
        other = s.open({.buffersize = 1, .expected_cost = 10ns}, same, 1);
        s.pull_all(*other);
        rung = idle.bell->rung - before;
        return x;
      },
      1);
  s.pull_all(*r);
  w.work();
  CHECK(rung == 1);
  s.box.close(*r);
  s.box.close(*other);
}

TEST_CASE("mailbox: when the supervisor is gone what was withheld is told at once") {
  stage s{1};
  hand_worker w{s.box};
  run_ptr r;
  int before = -1, after = -1;
  std::size_t taken = 0;
  r = s.open(
      {.buffersize = 256, .chunksize = 4, .expected_cost = light},
      [&](int x) {
        if (x != 10) return x;
        taken += s.take(*r).size();  // and then sleeps
        before = s.sink->rung;
        s.box.supervisor_gone(cause());
        after = s.sink->rung;
        taken += s.take(*r).size();
        return x;
      },
      64);
  s.pull_all(*r);
  CHECK_FALSE(w.work());
  CHECK(after > before);
  CHECK(taken == 63);  // of its batch, too, what was finished and what had not begun
  CHECK(s.take(*r) == std::vector{10});
  CHECK(s.last == next_result::end);
  s.box.close(*r);
}

TEST_CASE(
    "mailbox: a worker that leaves in the midst of a batch tells who waits for the run to drain") {
  const auto mailbox = std::make_shared<shared_mailbox>(1);
  every_port box{*mailbox};
  const auto bell = std::make_shared<counting_bell>();
  worker place;
  place.supervised = true;
  box.join(place, bell);

  /// Stops its run and fails, as when there is no memory to call anything.
  struct failing_job final : fmap::detail::typed_job<int, int> {
    std::function<void()> stop;
    std::uint32_t apply(chunk&, std::uint32_t, progress&, std::uint32_t) override {
      stop();
      throw std::bad_alloc{};
    }
  };
  const auto work = std::make_shared<failing_job>();
  using range = std::vector<int>;
  run_ptr r =
      box.open({.buffersize = 4}, work, std::make_unique<range_input<range>>(range(4)), bell);
  work->stop = [&] { sink_port::abandon(mailbox, r); };
  while (box.pull(*r) == pulled::something) {}
  const std::weak_ptr<run> gone = r;
  CHECK_THROWS_AS(box.work(place), std::bad_alloc);
  work->stop = nullptr;
  r.reset();
  CHECK_FALSE(gone.expired());
  box.leave(place);
  CHECK(gone.expired());
}

TEST_CASE("mailbox: the ids of runs are never used again") {
  // A pool that opens a million runs a second would come to the end of 64 bits in half a million years.
  STATIC_REQUIRE(sizeof(run_id) == 8);
}
