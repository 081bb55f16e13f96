// SPDX-License-Identifier: BSD-3-Clause
// An actor system that is run step by step, and what else of CAF tests need; for CAF 0.17.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

namespace testing {

/// The smallest scheduler a system can have.
inline void one_scheduler_thread(caf::actor_system_config& config) {
  config.set("scheduler.max-threads", 1);
}

/// An actor system whose scheduled actors only run when a test says so, one message burst at a time, in
/// an order drawn from a seed.
class stepped_system {
public:
  explicit stepped_system(std::uint64_t seed) : random_{seed} { settle(); }

  /// Every actor must have ended by now: the system waits for them.
  ~stepped_system() {
    known_.clear();
    settle();
  }

  stepped_system(const stepped_system&) = delete;
  stepped_system& operator=(const stepped_system&) = delete;

  caf::actor_system& system() { return system_; }
  std::mt19937_64& random() { return random_; }
  bool has_job() { return scheduler().has_job(); }

  /// Runs one actor of those that have something to do; false if there is none.
  bool step() {
    auto& jobs = scheduler().jobs;
    if (jobs.empty()) return false;
    meet();
    const auto chosen = std::uniform_int_distribution<std::size_t>{0, jobs.size() - 1}(random_);
    std::rotate(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(chosen), jobs.end());
    scheduler().run_once();
    return true;
  }

  /// Runs actors until none has anything to do, without letting time pass.
  void settle() {
    while (step()) {}
  }

  /// Lets simulated time pass; false if nobody was waiting for it.
  bool advance(std::chrono::nanoseconds time) {
    return scheduler().advance_time(std::chrono::duration_cast<caf::timespan>(time)) != 0;
  }

  bool waits_for_time() { return scheduler().has_pending_timeout(); }

  /// The actors of this name that have run so far, in order of appearance.
  std::vector<caf::actor> named(const std::string& name) {
    meet();
    return known_[name];
  }

  void kill(const caf::actor& who) { caf::anon_send_exit(who, caf::exit_reason::kill); }

  /// Actors that have not ended.
  std::size_t running() { return system_.registry().running(); }

private:
  struct config : caf::actor_system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  };

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  /// Remembers whoever is about to run.
  void meet() {
    for (caf::resumable* job : scheduler().jobs) {
      auto* who = dynamic_cast<caf::scheduled_actor*>(job);
      if (who == nullptr) continue;
      auto& known = known_[who->name()];
      const auto handle = caf::actor_cast<caf::actor>(who);
      if (std::find(known.begin(), known.end(), handle) == known.end()) known.push_back(handle);
    }
  }

  config config_;
  caf::actor_system system_{config_};
  std::map<std::string, std::vector<caf::actor>> known_;
  std::mt19937_64 random_;
};

}  // namespace testing
