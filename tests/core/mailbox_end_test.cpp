// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox step by step: runs that are stopped, pools that are shut down or break.

#include <functional>
#include <memory>
#include <ranges>
#include <utility>
#include <vector>

#include <fmap/errors.hpp>

#include "support/catch.hpp"
#include "support/mailbox_stage.hpp"

using namespace testing;

namespace {

/// Does something between its last item and its return.
class lingering_job final : public fmap::detail::typed_job<int, int> {
public:
  explicit lingering_job(std::function<void()> linger) : linger_{std::move(linger)} {}

  std::uint32_t apply(chunk& c, std::uint32_t i, progress& at, std::uint32_t) override {
    while (at.claim(i)) c.state(i++).store(fmap::detail::slot_state::value);
    if (linger_) std::exchange(linger_, nullptr)();
    return i;
  }

private:
  std::function<void()> linger_;
};

}  // namespace

TEST_CASE("mailbox: a run has not drained while a worker is in its job") {
  stage s{1};
  hand_worker w{s.box};
  run_ptr r;
  run_counts after_stop;
  const auto work = std::make_shared<lingering_job>([&] {
    s.box.stop(*r);
    after_stop = s.box.stats(*r).counts;
  });
  r = s.open(
      {.buffersize = 4, .chunksize = 4}, work, [](std::uint64_t) { return 0; }, 4);
  s.pull_all(*r);
  w.work();
  CHECK(after_stop.dropped < 4);
  CHECK(after_stop.held > 0);
  CHECK(s.box.stats(*r).counts.held == 0);
  s.box.close(*r);
}

TEST_CASE("mailbox: a stop drops the rest of a batch that is being worked on") {
  stage s{1};
  hand_worker w{s.box};
  run_ptr r;
  int calls = 0;
  r = s.open(
      {.buffersize = 8, .chunksize = 8},
      [&](int x) {
        if (++calls == 3) s.box.stop(*r);
        return x;
      },
      8);
  s.pull_all(*r);
  w.work();
  CHECK(calls == 3);
  CHECK(s.box.stats(*r).counts.dropped == 8);
  CHECK(s.take(*r).empty());
  CHECK(s.last == next_result::end);
  s.box.close(*r);
}

TEST_CASE("mailbox: in a broken pool what is queued ends as an error, what runs is finished") {
  stage s{1};
  hand_worker w{s.box};
  const run_ptr r = s.open(
      {.buffersize = 8},
      [&](int x) {
        s.box.break_up(cause());
        return x;
      },
      8);
  s.pull_all(*r);
  CHECK_FALSE(w.work());
  CHECK(s.take(*r) == std::vector{-1, -1, -1, -1, -1, -1, -1, 0});
  CHECK(s.last == next_result::end);
  CHECK_THROWS_AS(s.open({}, [](int x) { return x; }), fmap::broken_pool);
  s.box.close(*r);
}

TEST_CASE("mailbox: a guest's items that come after its pool has broken are not taken") {
  stage s{1};
  const run_ptr r = s.open({.buffersize = fmap::kernel::unbounded}, [](int x) { return x; });
  s.box.break_up(cause());
  auto c = std::make_unique<chunk>(0, 2, r->work->layout);
  s.box.push(*r, std::move(c), 2, false);
  CHECK(s.box.stats(*r).counts.pulled == 0);
  CHECK(s.box.stats(*r).counts.queued == 0);
  s.box.close(*r);
}

TEST_CASE("mailbox: in a broken pool what is taken from a slow item's batch ends as an error") {
  stage s{1};
  hand_worker w{s.box};
  const run_ptr r = s.open(
      {.buffersize = 8, .chunksize = 8},
      [&](int x) {
        s.box.break_up(cause());
        outlast_patience();
        s.box.tick();
        return x;
      },
      8);
  s.pull_all(*r);
  CHECK_FALSE(w.work());
  CHECK(s.take(*r).size() == 8);
  CHECK(s.last == next_result::end);
  s.box.close(*r);
}

TEST_CASE("mailbox: a pool that breaks while it is shut down wakes its idle workers") {
  stage s{2};
  hand_worker busy{s.box}, idle{s.box};
  const run_ptr r = s.open(
      {.buffersize = 1},
      [&](int x) {
        s.box.shut_down();
        CHECK(idle.work());
        const int before = idle.bell->rung;
        s.box.break_up(cause());
        CHECK(idle.bell->rung == before + 1);
        return x;
      },
      1);
  s.box.pull(*r);
  CHECK_FALSE(busy.work());
  CHECK_FALSE(idle.work());
  s.box.close(*r);
}

TEST_CASE("mailbox: no worker is started for a pool whose supervisor is gone") {
  stage s{1};
  const supply make = [&](std::uint64_t i) {
    if (i == 1) s.box.supervisor_gone(cause());
    return static_cast<int>(i);
  };
  const run_ptr r =
      s.open({.buffersize = 4},
             std::make_shared<function_job<int, function>>([](int x) { return x; }), make, 4);
  CHECK(s.box.pull(*r) == pulled::over);
  CHECK(s.take(*r) == std::vector{-1, -1});
  s.box.shut_down();
  const auto duties = s.box.take_duties();
  CHECK(duties.start == 0);
  CHECK(duties.quit);
  s.box.close(*r);
}

TEST_CASE("mailbox: a shut down pool finishes what was pulled, and says that there may be more") {
  stage s{1};
  hand_worker w{s.box};
  const run_ptr r = s.open({.buffersize = 4}, [](int x) { return x; });
  s.box.pull(*r);
  s.box.shut_down();
  CHECK(s.box.pull(*r) == pulled::over);
  CHECK_FALSE(w.work());
  CHECK(s.take(*r) == std::vector{0, 1, 2, 3});
  CHECK(s.last == next_result::end);
  CHECK_THROWS_AS(s.box.throw_if_cut(*r), fmap::pool_shutdown);
  CHECK_THROWS_AS(s.open({}, [](int x) { return x; }), fmap::pool_shutdown);
  s.box.close(*r);
}

TEST_CASE("mailbox: an input that ends while the pool is shut down has lost nothing") {
  stage s{1};
  hand_worker w{s.box};
  run_ptr r;
  const supply make = [&](std::uint64_t i) { return static_cast<int>(i); };
  // The second look is the one that finds the end.
  const auto work = std::make_shared<function_job<int, function>>([](int x) { return x; });
  using range = decltype(std::views::iota(0, 1) | std::views::transform(function{}));
  r = s.box.open({.buffersize = 4}, work,
                 std::make_unique<range_input<range>>(std::views::iota(0, 1)
                                                      | std::views::transform(function{[&](int x) {
                                                          s.box.shut_down();
                                                          return x;
                                                        }})),
                 s.sink);
  CHECK(s.box.pull(*r) == pulled::over);
  CHECK_FALSE(w.work());
  CHECK(s.take(*r) == std::vector{0});
  CHECK_NOTHROW(s.box.throw_if_cut(*r));
  s.box.close(*r);
}
