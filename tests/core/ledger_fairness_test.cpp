// SPDX-License-Identifier: BSD-3-Clause
// The ledger in simulated time: runs share the workers fairly.

#include <chrono>
#include <map>
#include <vector>

#include "support/catch.hpp"
#include "support/ledger_moves.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Workers, sources and consumers in simulated time; a consumer takes at once.
class simulation {
public:
  explicit simulation(int workers) {
    for (int i = 0; i != workers; ++i) idle_.push_back(l.add_worker(plenty));
  }

  run_id open(ledger::duration cost, std::uint64_t buffersize = 256) {
    const run_id r = l.open({.buffersize = buffersize});
    cost_[r] = cost;
    return r;
  }

  /// Lets time pass; returns how much of the workers' time each run got.
  std::map<run_id, double> pass(ledger::duration time) {
    std::map<run_id, double> used;
    const auto until = now_ + time;
    for (;;) {
      for (const auto& [run, cost] : cost_) pull(l, run, plenty);
      std::erase_if(idle_, [&](worker_id w) {
        const span s = l.take(w);
        if (s) busy_.emplace(now_ + s.count * cost_[s.run], job{w, s});
        return static_cast<bool>(s);
      });
      if (busy_.empty() || busy_.begin()->first > until) break;
      const auto [at, done] = *busy_.begin();
      busy_.erase(busy_.begin());
      now_ = at;
      const auto took = done.batch.count * cost_[done.batch.run];
      used[done.batch.run] += static_cast<double>(took.count());
      finish(l, done.worker, done.batch, took);
      take_ready(l, done.batch.run);
      idle_.push_back(done.worker);
    }
    now_ = until;
    return used;
  }

  ledger l;

private:
  struct job {
    worker_id worker;
    span batch;
  };
  ledger::duration now_{};
  std::map<run_id, ledger::duration> cost_;
  std::vector<worker_id> idle_;
  std::multimap<ledger::duration, job> busy_;
};

/// The first run's part of the time that both had.
double part(std::map<run_id, double>& used, run_id a, run_id b) {
  return used[a] / (used[a] + used[b]);
}

bool about_half(double x) { return x > 0.45 && x < 0.55; }

}  // namespace

TEST_CASE("ledger: runs share the workers' time equally, whatever their items cost") {
  const int workers = GENERATE(1, 3, 8);
  const auto cost = GENERATE(1us, 10us, 1000us, 20'000us);
  simulation s{workers};
  const run_id a = s.open(10us), b = s.open(cost);
  s.pass(500ms);
  auto used = s.pass(2s);
  CHECK(about_half(part(used, a, b)));
}

TEST_CASE("ledger: a run with few tokens is not pushed aside by one with many") {
  simulation s{2};
  const run_id a = s.open(50us, 2), b = s.open(50us, 4096);
  auto used = s.pass(1s);
  CHECK(about_half(part(used, a, b)));
}

TEST_CASE("ledger: a newcomer gets its half, and no more for having come late") {
  simulation s{4};
  const run_id a = s.open(100us);
  s.pass(10s);
  const run_id b = s.open(100us);
  auto used = s.pass(50ms);
  CHECK(about_half(part(used, a, b)));
}

TEST_CASE("ledger: a newcomer of unknown cost does not take all workers at once") {
  ledger l;
  std::vector<worker_id> workers;
  for (int i = 0; i != 4; ++i) workers.push_back(l.add_worker(plenty));
  const run_id a = l.open({.buffersize = 100});
  teach(l, workers[0], a, 10us);
  const run_id b = l.open({.buffersize = 100});
  pull(l, a, 100);
  pull(l, b, 100);
  for (const worker_id w : workers) l.take(w);
  CHECK(l.counts(a).held > 0);
  CHECK(l.counts(b).held > 0);
}

TEST_CASE("ledger: a run that had nothing to do is not owed the time it did not use") {
  simulation s{2};
  const run_id a = s.open(100us), b = s.open(100us);
  s.l.stop(b);  // opened, but without items until now
  s.pass(1s);
  const run_id c = s.open(100us);
  auto used = s.pass(50ms);
  CHECK(about_half(part(used, a, c)));
}

TEST_CASE("ledger: the time to pull a run's items counts as its own") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id a = l.open({.buffersize = 8}), b = l.open({.buffersize = 8});
  l.charge(a, 1s);
  pull(l, a, 8);
  pull(l, b, 8);
  for (int i = 0; i != 8; ++i) {
    const span s = l.take(w);
    CHECK(s.run == b);
    finish(l, w, s, s.count * 1ms);
    if (l.counts(b).queued == 0) break;
  }
  CHECK(l.take(w).run == a);
}

TEST_CASE("ledger: time that was not measured well counts, and teaches nothing") {
  ledger l;
  const worker_id w = l.add_worker(plenty);
  const run_id a = l.open({.buffersize = 8}), b = l.open({.buffersize = 8});
  pull(l, a, 8);
  pull(l, b, 8);
  const span first = l.take(w);
  l.finished(w, first.run, first.first, first.count, 1s, false);
  CHECK(l.cost(first.run) == 0ms);
  for (int i = 0; i != 4; ++i) {
    const span s = l.take(w);
    CHECK(s.run != first.run);
    finish(l, w, s, s.count * 1ms);
    CHECK(l.cost(s.run) == 1ms);
    if (l.counts(s.run).queued == 0) break;
  }
}

TEST_CASE("ledger: an expectation, wrong or right, costs no other run its share") {
  const ledger::duration expected = GENERATE(1ns, 10s);
  const ledger::duration cost = expected == 1ns ? 1us : 200us;
  ledger l;
  std::vector<worker_id> workers;
  for (int i = 0; i != 8; ++i) workers.push_back(l.add_worker(plenty));
  const run_id a = l.open({.buffersize = 100'000, .expected_cost = expected});
  pull(l, a, 100'000);
  std::vector<span> held;
  for (const worker_id w : workers) held.push_back(l.take(w));
  for (int i = 0; i != 8; ++i) finish(l, workers[i], held[i], held[i].count * cost);
  const run_id b = l.open({.buffersize = 1000});
  pull(l, b, 1000);
  int before_b = 0;
  for (span s; (s = l.take(workers[0])).run == a; ++before_b)
    finish(l, workers[0], s, s.count * cost);
  CHECK(before_b < 10);
}
