// SPDX-License-Identifier: BSD-3-Clause
// Futures under contention: thousands of random meetings of two threads.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <vector>

#include <fmap/wait.hpp>

#include "support/catch.hpp"
#include "support/futures.hpp"
#include "support/race.hpp"

using namespace std::chrono_literals;

namespace {

constexpr int rounds = 4000;

/// Sets a result in the calling thread; returns whether it was the one who did.
bool try_set(fmap::promise<int>& p, int value) {
  try {
    return p.set_value(value);
  } catch (const fmap::invalid_state&) {
    return false;
  }
}

}  // namespace

TEST_CASE("race: cancel against start: exactly one wins") {
  test::sample s;
  bool cancelled = false, started = false;
  CHECK(test::race(
            rounds, [&] { s = test::pending(); }, [&] { cancelled = s.future.cancel(); },
            [&] { started = s.promise.set_running(); },
            [&] {
              return cancelled != started && s.future.cancelled() == cancelled
                     && s.future.running() == started && s.promise.set_value(1) == started;
            })
        == 0);
}

TEST_CASE("race: cancel against set_value: exactly one wins") {
  test::sample s;
  bool cancelled = false, set = false;
  CHECK(test::race(
            rounds, [&] { s = test::pending(); }, [&] { cancelled = s.future.cancel(); },
            [&] { set = s.promise.set_value(3); },
            [&] {
              return cancelled != set && s.future.done() && s.future.cancelled() == cancelled
                     && (cancelled || s.future.get() == 3);
            })
        == 0);
}

TEST_CASE("race: set_value against set_value: exactly one wins, and its value counts") {
  test::sample s;
  bool one = false, two = false;
  CHECK(test::race(
            rounds, [&] { s = test::pending(); }, [&] { one = try_set(s.promise, 1); },
            [&] { two = try_set(s.promise, 2); },
            [&] { return one != two && s.future.get() == (one ? 1 : 2); })
        == 0);
}

TEST_CASE("race: done against add_done_callback: every callback runs exactly once") {
  test::sample s;
  std::atomic<int> calls{0};
  const auto add = [&] {
    for (int i = 0; i < 3; ++i)
      s.future.add_done_callback([&](auto f) { calls += f.get() == 7 ? 1 : 100; });
  };
  CHECK(test::race(
            rounds,
            [&] {
              s = test::pending();
              calls = 0;
              add();
            },
            add, [&] { s.promise.set_value(7); }, [&] { return calls == 6; })
        == 0);
}

TEST_CASE("race: cancel against add_done_callback: every callback runs exactly once") {
  test::sample s;
  std::atomic<int> calls{0};
  CHECK(test::race(
            rounds,
            [&] {
              s = test::pending();
              calls = 0;
            },
            [&] { s.future.add_done_callback([&](auto f) { calls += f.cancelled() ? 1 : 100; }); },
            [&] { s.future.cancel(); }, [&] { return calls == 1; })
        == 0);
}

TEST_CASE("race: get against set_value") {
  test::sample s;
  int got = 0;
  CHECK(test::race(
            rounds,
            [&] {
              s = test::pending();
              got = 0;
            },
            [&] { got = s.future.get(); }, [&] { s.promise.set_value(9); },
            [&] { return got == 9; })
        == 0);
}

TEST_CASE("race: the thread that waits destroys future and promise while the setter returns") {
  std::optional<test::sample> s;
  CHECK(test::race(
            rounds, [&] { s = test::pending(); },
            [&] {
              s->future.wait();
              s.reset();
            },
            [p = &s] { (*p)->promise.set_value(9); }, [&] { return !s.has_value(); })
        == 0);
}

TEST_CASE("race: timeout against completion: never a wrong answer, never a hang") {
  test::sample s;
  bool done = false;
  int late = 0;
  CHECK(test::race(
            rounds, [&] { s = test::pending(); },
            [&] {
              done = s.future.wait(1us);
              if (!done) ++late;
              if (done && !s.future.done()) done = false, late = -rounds;
            },
            [&] { s.promise.set_value(9); }, [&] { return s.future.get(0s) == 9; })
        == 0);
  CHECK(late >= 0);
}

TEST_CASE("race: take against take: exactly one gets the value") {
  fmap::promise<std::unique_ptr<int>> p;
  std::atomic<int> taken{0}, refused{0};
  const auto take = [&, f = fmap::future<std::unique_ptr<int>>{}]() mutable {
    try {
      f = p.get_future();
      taken += *f.take();
    } catch (const fmap::invalid_state&) {
      ++refused;
    }
  };
  CHECK(test::race(
            rounds,
            [&] {
              p = {};
              p.set_value(std::make_unique<int>(1));
              taken = refused = 0;
            },
            take, take, [&] { return taken == 1 && refused == 1; })
        == 0);
}

TEST_CASE("race: wait against completion, for each condition, with and without timeout") {
  std::vector<test::sample> all;
  fmap::wait_result<int> result;
  int round = 0;
  bool complete = false;
  const auto prepare = [&] {
    ++round;
    all.clear();
    for (int i = 0; i < 5; ++i) all.push_back(test::pending());
  };
  const auto waits = [&] {
    std::vector<fmap::future<int>> futures;
    for (const auto& s : all) futures.push_back(s.future);
    const auto when = static_cast<fmap::return_when>(round % 3);
    if (round % 2 == 0)
      result = fmap::wait(futures, when);
    else
      result = fmap::wait(futures, when, 3us);
    complete = when == fmap::all_completed ? result.not_done.empty() : !result.done.empty();
  };
  const auto completes = [&] {
    for (std::size_t i = 0; i < all.size(); ++i) {
      test::sample& s = all[(i + static_cast<std::size_t>(round)) % all.size()];
      if (i == 2)
        s.promise.set_exception(std::make_exception_ptr(1));
      else if (i == 3)
        s.future.cancel();
      else
        s.promise.set_value(1);
    }
  };
  CHECK(test::race(rounds, prepare, waits, completes,
                   [&] {
                     for (const auto& f : result.done)
                       if (!f.done()) return false;
                     return result.done.size() + result.not_done.size() == 5
                            && (complete || round % 2 == 1);
                   })
        == 0);
}

TEST_CASE("race: as_completed against completion: each future once, also when leaving early") {
  std::vector<test::sample> all;
  std::size_t seen = 0, leave_after = 0;
  int round = 0;
  bool wrong = false;
  CHECK(test::race(
            rounds,
            [&] {
              all.clear();
              for (int i = 0; i < 5; ++i) all.push_back(test::pending());
              seen = 0;
              leave_after = static_cast<std::size_t>(++round % 6);
            },
            [&] {
              std::vector<fmap::future<int>> futures;
              for (const auto& s : all) futures.push_back(s.future);
              for (auto& f : fmap::as_completed(futures)) {
                wrong = wrong || !f.done();
                if (++seen == leave_after) break;
              }
            },
            [&] {
              for (auto& s : all) s.promise.set_value(1);
            },
            [&] { return !wrong && seen == (leave_after == 0 ? 5 : leave_after); })
        == 0);
}

TEST_CASE("race: many waiters come and go while callbacks are added and the result is set") {
  for (int round = 0; round < 100; ++round) {
    test::sample s;
    std::atomic<int> calls{0}, got{0};
    std::barrier<> together{4};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&, f = s.future] {
        together.arrive_and_wait();
        for (int i = 0; i < 20; ++i) {
          f.wait(std::chrono::microseconds{i % 3});
          f.add_done_callback([&](const auto&) { ++calls; });
        }
        got += f.get();
      });
    together.arrive_and_wait();
    s.promise.set_running();
    s.promise.set_value(1);
    for (auto& t : threads) t.join();
    CHECK(got == 3);
    CHECK(calls == 60);
  }
}
