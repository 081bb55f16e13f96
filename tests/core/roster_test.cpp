// SPDX-License-Identifier: BSD-3-Clause
// The workers of a pool, those that sleep and those that may be started: lockstep with naive models.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "src/kernel/pull_line.hpp"
#include "src/kernel/roster.hpp"
#include "src/kernel/staffing.hpp"
#include "support/catch.hpp"
#include "support/seed.hpp"

using namespace fmap::kernel;
using namespace std::chrono_literals;

namespace {

constexpr clock::time_point begun{1s};

/// All that a roster says, worked out from a list of those that sleep in the order in which they went to sleep.
struct naive_roster {
  std::vector<worker*> asleep;

  worker* last(bool reserve) const {
    const auto it = std::find_if(asleep.rbegin(), asleep.rend(),
                                 [&](const worker* w) { return w->reserve == reserve; });
    return it != asleep.rend() ? *it : nullptr;
  }
  worker* last_of_threads() const {
    const auto it = std::find_if(asleep.rbegin(), asleep.rend(),
                                 [](const worker* w) { return !w->reserve && !w->remote; });
    return it != asleep.rend() ? *it : nullptr;
  }
  std::ptrdiff_t reserves() const {
    return std::count_if(asleep.begin(), asleep.end(), [](const worker* w) { return w->reserve; });
  }
};

}  // namespace

TEST_CASE("roster: whoever went to sleep last is called first; lockstep with a plain list") {
  const std::uint64_t seed = testing::seed();
  INFO(testing::seed_message(seed));
  testing::dice d{seed};
  roster r;
  naive_roster naive;
  std::vector<std::unique_ptr<worker>> all;
  for (std::uint32_t i = 0; i != 6; ++i) {
    all.push_back(std::make_unique<worker>());
    all.back()->remote = i == 4;
    all.back()->reserve = i >= 4 && !all.back()->remote;
    r.join(*all.back(), i, nullptr);
  }
  int wrong = 0;
  for (int step = 0; step != 20'000; ++step) {
    worker& w = *all[d.below(all.size())];
    switch (d.below(6)) {
      case 0:
        r.comes(w, begun);
        std::erase(naive.asleep, &w);
        wrong += w.where != presence::at_work;
        break;
      case 1:
        r.rests(w);
        std::erase(naive.asleep, &w);
        wrong += w.where != presence::away;
        break;
      case 2:
        if (worker* const t = r.sleeper([](const worker*) { return true; })) {
          r.called(*t, begun, false);
          wrong += t != naive.last(false) || t->where != presence::called;
          std::erase(naive.asleep, t);
        }
        break;
      case 3:
        if (d.one_in(50)) {
          std::size_t all_woken = 0;
          for (auto woken = r.wake_all(); !woken.empty(); woken = r.wake_all()) {
            for (const worker* x : woken) wrong += x->where != presence::away;
            all_woken += woken.size();
          }
          wrong += all_woken != naive.asleep.size();
          naive.asleep.clear();
        }
        break;
      default:
        if (w.where == presence::asleep) break;
        r.sleeps(w);
        naive.asleep.push_back(&w);
    }
    wrong += r.anyone_asleep() != (naive.last(false) != nullptr);
    wrong += r.sleeping_reserve() != naive.last(true);
    wrong += r.several_reserves_asleep() != (naive.reserves() > 1);
    wrong += r.sleeper([](const worker* x) { return !x->remote; }) != naive.last_of_threads();
  }
  CHECK(wrong == 0);
  for (const auto& w : all) r.leave(*w);
  CHECK(r.all().empty());
  CHECK_FALSE(r.anyone_asleep());
  CHECK(r.sleeping_reserve() == nullptr);
}

TEST_CASE(
    "roster: a worker is counted on for a tenth of a millisecond after it came or was called") {
  roster r;
  worker w;
  r.join(w, 1, nullptr);
  CHECK_FALSE(r.someone_soon(begun));  // it has not come yet
  r.comes(w, begun);
  CHECK(r.someone_soon(begun + 99us));
  CHECK_FALSE(r.someone_soon(begun + 100us));
  CHECK_FALSE(r.none_since(begun + 99us, 100us));
  CHECK(r.none_since(begun + 100us, 100us));
  r.sleeps(w);
  CHECK_FALSE(r.someone_soon(begun));
  r.called(w, begun + 1ms, false);
  CHECK(r.someone_soon(begun + 1ms));
  SECTION("a stub takes no more than is its share") { w.remote = true; }
  SECTION("a reserve comes for other things") { w.reserve = true; }
  SECTION("one that rests does not come") { r.rests(w); }
  CHECK_FALSE(r.someone_soon(begun + 1ms));
  r.begins_to_look();
  CHECK(r.another_looks());
  CHECK(r.someone_soon(begun + 1h));
  r.ends_to_look();
  CHECK_FALSE(r.someone_soon(begun + 1ms));
}

TEST_CASE("staffing: no more workers than there may be, whoever waits, retires or fails to start") {
  const std::uint64_t seed = testing::seed();
  INFO(testing::seed_message(seed));
  testing::dice d{seed};
  std::uint32_t capacity = 3;
  staffing s{capacity};
  std::uint32_t under_way = 0, joined = 0, retiring = 0, blocked = 0, aside = 0;
  int wrong = 0;
  for (int step = 0; step != 50'000; ++step) {
    const std::uint32_t before = under_way + joined;
    switch (d.below(11)) {
      case 10:
        if (!d.one_in(8)) break;
        capacity = static_cast<std::uint32_t>(d.between(1, 6));
        s.resize(capacity);
        wrong += s.must_shrink() && !s.surplus();
        break;
      case 0:
      case 1:
        wrong += s.may_start() != (before < capacity + blocked + aside && retiring < 2 * capacity);
        if (!s.may_start()) break;
        s.start_one();
        wrong += s.take_starts() != 1;
        ++under_way;
        break;
      case 2:
        if (under_way == 0) break;
        wrong += s.joined();  // no reserve
        --under_way;
        ++joined;
        break;
      case 3:
        if (under_way == 0) break;
        s.never_came();
        --under_way;
        break;
      case 4:
        if (joined == 0) break;
        s.left(true, false, false);
        --joined;
        break;
      case 5:
        if (joined == 0) break;
        s.retired();
        --joined;
        ++retiring;
        break;
      case 6:
        if (retiring == 0) break;
        s.left(false, true, false);
        --retiring;
        break;
      case 7:
        if (blocked == 5) break;
        wrong += !s.block();
        ++blocked;
        break;
      case 8:
        if (blocked == 0) break;
        s.unblock();
        --blocked;
        break;
      default:
        if (aside == 0) {
          s.step_aside();
          ++aside;
        } else {
          s.step_back();
          --aside;
        }
    }
    wrong += s.surplus() != (under_way + joined > capacity + blocked + aside);
    wrong += s.nobody() != (under_way + joined + retiring == 0);
    wrong += s.all_joined(joined) != (under_way == 0);
    wrong += s.any_blocked() != (blocked != 0);
    wrong += s.hopeless(1) != (under_way + joined <= blocked);
  }
  CHECK(wrong == 0);
}

TEST_CASE("staffing: fewer workers are to leave at once only until there are few enough") {
  staffing s{4};
  for (int i = 0; i != 4; ++i) s.start_one();
  CHECK(s.take_starts() == 4);
  s.resize(2);
  CHECK(s.must_shrink());
  CHECK(s.surplus_workers() == 2);
  s.left(true, false, false);
  CHECK(s.must_shrink());
  s.retired();
  CHECK_FALSE(s.must_shrink());
  CHECK_FALSE(s.may_start());
  // Who comes on top for one that was blocked goes when there is nothing to do.
  CHECK(s.block());
  s.start_one();
  s.unblock();
  CHECK(s.surplus());
  CHECK_FALSE(s.must_shrink());
  s.resize(5);
  CHECK_FALSE(s.surplus());
  CHECK(s.may_start());
}

TEST_CASE("staffing: a reserve comes on top, and goes without leaving a place") {
  staffing s{1};
  s.start_one();
  CHECK(s.take_starts() == 1);
  CHECK_FALSE(s.joined());
  CHECK_FALSE(s.may_start());
  s.start_reserve();
  CHECK(s.take_starts() == 1);
  CHECK_FALSE(s.may_start());
  CHECK_FALSE(s.surplus());
  SECTION("it joins and leaves") {
    CHECK(s.joined());
    s.left(true, false, true);
  }
  SECTION("it never comes") { s.never_came(); }
  SECTION("nobody starts it") {
    s.start_reserve();
    s.forget_starts();  // the second one; the first one had been taken
    CHECK(s.take_starts() == 0);
    s.left(true, false, false);
    return;
  }
  CHECK_FALSE(s.surplus());
  CHECK_FALSE(s.may_start());
  s.left(true, false, false);
  CHECK(s.nobody());
}

TEST_CASE("staffing: a thousand tasks may wait, and not one more") {
  staffing s{1};
  for (std::uint32_t i = 0; i != tuning::most_blocked; ++i) CHECK(s.block());
  CHECK_FALSE(s.block());
  s.unblock();
  CHECK(s.block());
}

TEST_CASE("staffing: after failed starts the pauses are 25 ms, 50 ms, and so on up to a second") {
  start_pause p;
  clock::time_point now = begun;
  for (const auto pause : {25ms, 50ms, 100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const std::size_t before = p.in_vain();
    p.failed(now);
    CHECK(p.in_vain() == before + 1);
    CHECK(p.lasts(now + pause - 1ms));
    CHECK_FALSE(p.lasts(now + pause));
    p.failed(now + pause / 2);  // counts as the same failure
    CHECK(p.in_vain() == before + 1);
    now += pause;
  }
  p.succeeded();
  CHECK(p.in_vain() == 0);
  p.failed(now);
  CHECK_FALSE(p.lasts(now + 25ms));
}

TEST_CASE("pull line: each run is in it once, and the one that has waited longest is next") {
  const std::uint64_t seed = testing::seed();
  INFO(testing::seed_message(seed));
  testing::dice d{seed};
  std::vector<std::unique_ptr<run>> runs;
  for (run_id id = 1; id != 6; ++id)
    runs.push_back(std::make_unique<run>(id, run_limits{}, nullptr, nullptr));
  pull_line line;
  std::vector<run*> naive;
  int wrong = 0;
  for (int step = 0; step != 10'000; ++step) {
    run& r = *runs[d.below(runs.size())];
    const bool in = std::find(naive.begin(), naive.end(), &r) != naive.end();
    wrong += r.in.in_line != in;
    switch (d.below(4)) {
      case 0:
        line.leave(r);
        std::erase(naive, &r);
        break;
      case 1:
        if (naive.empty()) break;
        wrong += &line.next() != naive.front();
        naive.erase(naive.begin());
        break;
      default:
        line.join(r);
        if (!in) naive.push_back(&r);
    }
    wrong += line.empty() != naive.empty();
    wrong += !std::equal(line.begin(), line.end(), naive.begin(), naive.end());
  }
  CHECK(wrong == 0);
}
