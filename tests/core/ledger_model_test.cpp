// SPDX-License-Identifier: BSD-3-Clause
// The ledger against a naive model of it: random events, everything compared after each.

#include <chrono>
#include <cstdint>
#include <exception>
#include <iterator>
#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/ledger_lockstep.hpp"
#include "support/seed.hpp"
#include "support/watched_memory.hpp"

using namespace testing;

namespace {

constexpr int episodes = memory_is_watched ? 50 : 500;
constexpr int steps_per_episode = 1000;

/// One random life of a ledger.
class episode {
public:
  explicit episode(std::uint64_t seed) : random_{seed} {}

  void play() {
    for (step_ = 0; step_ != steps_per_episode; ++step_) {
      step();
      s_.compare();
    }
    drain();
  }

  const lockstep& book() const { return s_; }

  /// What happened last, for the report.
  std::string position() const { return " in step " + std::to_string(step_) + ", " + doing_; }

private:
  void step() {
    switch (random_.below(16)) {
      case 0: return open();
      case 1: return join();
      case 2: return random_.one_in(2) ? die() : random_.one_in(2) ? die_below() : give_back();
      case 3: return random_.one_in(8) ? stop_or_end() : resize();
      case 4: return report_nonsense();
      case 5:
      case 6:
      case 7: return source();
      case 8:
      case 9:
      case 10: return take();
      case 11:
      case 12:
      case 13: return finish();
      default: return sink();
    }
  }

  template <class Map>
  auto pick(const Map& map) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(random_.below(map.size())))->first;
  }

  /// Alive, dead or never there.
  worker_id any_worker() {
    return static_cast<worker_id>(random_.below(10)
                                  + (s_.workers.empty() ? 0 : s_.workers.rbegin()->first / 2));
  }
  worker_id alive() { return s_.workers.empty() ? 0 : pick(s_.workers); }

  void open() {
    doing_ = "open";
    if (s_.runs.size() > 3) return;
    run_limits limits;
    limits.buffersize = random_.between(1, random_.one_in(4) ? 60 : 12);
    if (random_.one_in(3))
      limits.chunksize = static_cast<std::uint32_t>(random_.between(1, limits.buffersize));
    limits.max_attempts = static_cast<std::uint32_t>(random_.between(1, 3));
    limits.ordered = random_.one_in(2);
    s_.open(limits);
  }

  void join() {
    doing_ = "join";
    if (s_.workers.size() > 5) return;
    const auto capacity = random_.between(1, random_.one_in(2) ? 100 : 4);
    s_.add_worker({.capacity = static_cast<std::uint32_t>(capacity),
                   .weight = static_cast<std::uint32_t>(random_.below(4)),
                   .is_node = random_.one_in(3)});
  }

  void die() {
    doing_ = "die";
    const worker_id w = alive();
    if (heirs_.contains(w)) {
      if (s_.l.held_by(w).empty())
        s_.remove_worker(w, [](run_id, std::uint64_t) { return mark::waiting; });
      return;
    }
    const std::uint64_t kind = random_.below(8), salt = random_.below(1000);
    const worker_id heir =
        random_.one_in(2) ? s_.add_worker({.capacity = 1u << 20, .weight = 0}) : 0;
    heirs_.insert(heir);
    s_.remove_worker(
        w,
        [=](run_id run, std::uint64_t index) {
          return static_cast<mark>(kind < 7 ? kind : (index * 7 + run + salt) % 7);
        },
        heir);
  }

  /// Half of the time there is none.
  worker_id new_heir() {
    const worker_id heir =
        random_.one_in(2) ? s_.add_worker({.capacity = 1u << 20, .weight = 0}) : 0;
    heirs_.insert(heir);
    return heir;
  }

  void die_below() {
    doing_ = "die on a node";
    with_held([&](worker_id w, run_id r, std::uint64_t first, std::uint32_t) {
      if (heirs_.contains(w)) return;
      s_.died(w, r, first, static_cast<mark>(random_.below(7)), new_heir());
    });
  }

  void source() {
    doing_ = "source";
    if (s_.runs.empty()) return;
    const run_id r = pick(s_.runs);
    s_.grant(r, random_.below(20));
    const std::uint64_t granted = s_.runs.at(r).granted;
    if (random_.one_in(3)) ++chunk_;
    if (granted != 0) s_.pulled(r, chunk_, static_cast<std::uint32_t>(random_.between(1, granted)));
  }

  void take() {
    doing_ = "take";
    const worker_id w = random_.one_in(10) ? any_worker() : alive();
    if (heirs_.contains(w)) return;
    if (const span s = s_.take(w)) last_ = {w, s};
  }

  /// All or part of what a worker holds.
  template <class Action>
  void with_held(Action act) {
    const worker_id w = alive();
    const auto& held = s_.l.held_by(w);
    if (held.empty()) return;
    const span s = held[random_.below(held.size())];
    const std::uint64_t from = s.first + (random_.one_in(2) ? random_.below(s.count) : 0);
    act(w, s.run, from, static_cast<std::uint32_t>(random_.between(1, s.end() - from)));
  }

  void finish() {
    doing_ = "finish";
    with_held([&](worker_id w, run_id r, std::uint64_t first, std::uint32_t count) {
      const auto took =
          std::chrono::nanoseconds{random_.below(random_.one_in(2) ? 100 : 1'000'000)};
      s_.finished(w, r, first, count, took, !random_.one_in(8));
    });
  }

  void give_back() {
    doing_ = "give back";
    const bool drop = random_.one_in(10);
    with_held([&](worker_id w, run_id r, std::uint64_t first, std::uint32_t count) {
      if (heirs_.contains(w)) return;
      if (drop && !s_.runs.at(r).limits.ordered)  // nobody could tell the gap
        s_.drop(w, r, first, count);
      else
        s_.give_back(w, r, first, count);
    });
  }

  /// What has been reported before, by somebody who may be dead, or what never was.
  void report_nonsense() {
    doing_ = "late or unknown report";
    if (random_.one_in(2)) {
      s_.finished(last_.worker, last_.batch.run, last_.batch.first, last_.batch.count, {});
    } else {
      const auto r = static_cast<run_id>(random_.below(30));
      const std::uint64_t first = random_.below(100);
      const auto count = static_cast<std::uint32_t>(random_.below(20));
      if (random_.one_in(2))
        s_.finished(any_worker(), r, first, count, {});
      else
        s_.give_back(any_worker(), r, first, count);
    }
  }

  void sink() {
    doing_ = "sink";
    if (s_.runs.empty()) return;
    const run_id r = pick(s_.runs);
    if (random_.one_in(2)) s_.next_ready(r);
    const std::uint64_t out = s_.runs.at(r).handed_out.size();
    if (out != 0) s_.taken(r, random_.between(1, out));
  }

  void resize() {
    doing_ = "resize";
    if (s_.runs.empty() || !random_.one_in(4)) return;
    const run_id r = pick(s_.runs);
    s_.resize(r, random_.between(1, 80));
    if (random_.one_in(2)) s_.give_back_excess(r);
  }

  void stop_or_end() {
    doing_ = "stop, end or close";
    if (s_.runs.empty()) return;
    const run_id r = pick(s_.runs);
    if (random_.one_in(2)) s_.stop(r);
    if (random_.one_in(2)) s_.end(r);
    if (s_.runs.at(r).drained()) s_.close(r);
  }

  /// Everything ends; then nothing may be left (invariant 6).
  void drain() {
    doing_ = "drain";
    const std::uint32_t plenty = 1000;
    s_.add_worker({.capacity = plenty});
    for (const auto& [r, model] : s_.runs) s_.end(r);
    for (int round = 0; !s_.runs.empty(); ++round) {
      expect(round < 10'000, "a run does not drain");
      take();
      finish();
      for (auto it = s_.runs.begin(); it != s_.runs.end();) {
        const run_id r = (it++)->first;
        s_.next_ready(r);
        s_.taken(r, s_.runs.at(r).handed_out.size());
        s_.compare();
        const run_model& model = s_.runs.at(r);
        if (!model.drained() || (!model.stopped && !model.items.empty())) continue;
        expect(model.free == model.limits.buffersize, "drained, but tokens are missing");
        expect(model.pulled == model.taken + model.dropped, "drained, but indices are missing");
        s_.close(r);
      }
    }
    s_.compare();
    while (!s_.workers.empty())
      s_.remove_worker(alive(), [](run_id, std::uint64_t) { return mark::waiting; });
    expect(s_.l.queued() == 0 && s_.l.held() == 0 && s_.l.workers() == 0, "something is left");
  }

  struct assignment {
    worker_id worker = 0;
    span batch;
  };

  dice random_;
  lockstep s_;
  assignment last_;
  std::set<worker_id> heirs_;  // do nothing but report
  std::uint32_t chunk_ = 0;
  int step_ = 0;
  std::string doing_;
};

}  // namespace

TEST_CASE("ledger: random events against a naive model, all invariants after each") {
  const std::uint64_t first = testing::seed();
  std::uint64_t taken = 0, dropped = 0, retried = 0, quarantined = 0;
  for (std::uint64_t seed = first; seed != first + episodes; ++seed) {
    INFO(seed_message(seed));
    episode e{seed};
    try {
      e.play();
    } catch (const std::exception& error) {
      FAIL(error.what() << e.position());
    }
    taken += e.book().total.taken;
    dropped += e.book().total.dropped;
    retried += e.book().total.retried;
    quarantined += e.book().total.quarantined;
  }
  // The walk went everywhere.
  CHECK(taken > episodes * 100);
  CHECK(dropped > episodes * 5);
  CHECK(retried > episodes);
  CHECK(quarantined > episodes / 2);
}
