// SPDX-License-Identifier: BSD-3-Clause
// An actor system that is run step by step, and what else of CAF tests need, in its two versions.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor_registry.hpp>
#include <caf/all.hpp>

#include "actors/caf_compat.hpp"

#if FMAP_CAF_1
#  include <caf/detail/actor_system_access.hpp>
#  include <caf/io/middleman.hpp>
#  include <caf/scheduler.hpp>
#else
#  include <caf/scheduler/test_coordinator.hpp>
#endif

namespace testing {

/// A statically typed actor that answers an In with an Out (nothing, if that is void).
#if FMAP_CAF_1
template <class In, class Out>
using answers = caf::typed_actor<caf::result<Out>(In)>;
#else
namespace detail {
template <class In, class Out>
struct answers {
  using type = caf::typed_actor<typename caf::replies_to<In>::template with<Out>>;
};
template <class In>
struct answers<In, void> {
  using type = caf::typed_actor<caf::reacts_to<In>>;
};
}  // namespace detail
template <class In, class Out>
using answers = typename detail::answers<In, Out>::type;
#endif

/// What CAF_MAIN does for programs that load the middleman.
inline void know_types_of_middleman() {
#if FMAP_CAF_1
  caf::io::middleman::init_global_meta_objects();
#endif
}

/// Passes everything that the actor has no handler for to `note`, errors included, which would end it.
inline void note_unhandled(caf::event_based_actor* self,
                           std::function<void(const caf::message&)> note) {
#if FMAP_CAF_1  // which would have everybody handle these among the other messages
#  pragma GCC diagnostic push
#  pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  self->set_default_handler(
      [note](caf::scheduled_actor*, caf::message& m) -> caf::skippable_result {
        note(m);
        return caf::message{};
      });
#else
  self->set_default_handler(
      [note](caf::scheduled_actor*, caf::message_view& m) -> caf::result<caf::message> {
        note(m.move_content_to_message());
        return caf::message{};
      });
#endif
  self->set_error_handler(
      [note](caf::scheduled_actor*, caf::error& e) { note(caf::make_message(std::move(e))); });
#if FMAP_CAF_1
#  pragma GCC diagnostic pop
#endif
}

/// Sends a request and waits for the answer.
template <class Message, class OnValue, class OnError>
void ask_and_wait(caf::scoped_actor& self, const caf::actor& to, Message m, OnValue on_value,
                  OnError on_error) {
#if FMAP_CAF_1
  self->mail(std::move(m)).request(to, std::chrono::seconds{30}).receive(on_value, on_error);
#else
  self->request(to, std::chrono::seconds{30}, std::move(m)).receive(on_value, on_error);
#endif
}

/// Calls `note` with the reason when an actor ends, also if it has.
inline void at_end_of(const caf::actor& who, std::function<void(const caf::error&)> note) {
  who->attach_functor([note = std::move(note)](const caf::error& reason) { note(reason); });
}

/// A group of options as a configuration file has it.
inline std::string config_group(const std::string& name, const std::string& lines) {
#if FMAP_CAF_1
  return name + " {\n" + lines + "}\n";
#else
  return '[' + name + "]\n" + lines;
#endif
}

/// What an error says.
inline std::string text_of(const caf::error& e) {
  if (!e) return "";
  if (e == caf::exit_reason::kill) return "kill";
  if (e == caf::exit_reason::user_shutdown) return "user_shutdown";
  if (e == caf::exit_reason::unreachable) return "unreachable";
  if (e == caf::sec::unexpected_message) return "unexpected_message";
  if (e == caf::sec::request_receiver_down) return "request_receiver_down";
  if (e.context().match_elements<std::string>()) return e.context().get_as<std::string>(0);
  return caf::to_string(e);
}

/// The smallest scheduler a system can have; an actor has its turn for `max_throughput` messages (0: for all).
inline void one_scheduler_thread(caf::actor_system_config& config, int max_throughput = 0) {
#if FMAP_CAF_1
  const std::string scheduler = "caf.scheduler.";
#else
  const std::string scheduler = "scheduler.";
#endif
  config.set(scheduler + "max-threads", 1);
  if (max_throughput != 0) config.set(scheduler + "max-throughput", max_throughput);
}

#if FMAP_CAF_1

/// Keeps actors that have something to do until somebody lets one of them run.
class step_scheduler final : public caf::scheduler {
public:
  void schedule(caf::resumable* what) override { jobs.push_back(what); }
  void delay(caf::resumable* what) override { jobs.push_back(what); }
  void start() override {}
  void stop() override {
    for (auto* job : std::exchange(jobs, {})) job->deref_resumable();
  }

  bool has_job() const { return !jobs.empty(); }

  /// Lets the first one handle one message.
  void run_once() {
    caf::resumable* const job = jobs.front();
    jobs.pop_front();
    if (job->resume(this, 1) == caf::resumable::resume_later)
      jobs.push_back(job);
    else
      job->deref_resumable();
  }

  std::deque<caf::resumable*> jobs;
};

/// A clock that somebody moves on.
class step_clock final : public caf::actor_clock {
public:
  time_point now() const noexcept override { return now_; }

  caf::disposable schedule(time_point when, caf::action what) override {
    waiting_.emplace(when, what);
    return std::move(what).as_disposable();
  }

  std::size_t advance(duration_type time) {
    now_ += time;
    std::size_t n = 0;
    while (!waiting_.empty() && waiting_.begin()->first <= now_) {
      caf::action what = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      if (what.disposed()) continue;
      what.run();
      ++n;
    }
    return n;
  }

  bool has_pending_timeout() const {
    return std::any_of(waiting_.begin(), waiting_.end(),
                       [](const auto& w) { return !w.second.disposed(); });
  }

private:
  time_point now_{duration_type{1}};
  std::multimap<time_point, caf::action> waiting_;
};

#endif

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
  bool advance(std::chrono::nanoseconds time) { return clock().advance(time) != 0; }

  bool waits_for_time() { return clock().has_pending_timeout(); }

  /// The actors of this name that have run so far, in order of appearance.
  std::vector<caf::actor> named(const std::string& name) {
    meet();
    return known_[name];
  }

  /// Holds on to nobody any more.
  void forget() { known_.clear(); }

  void kill(const caf::actor& who) { caf::anon_send_exit(who, caf::exit_reason::kill); }

  /// Actors that have not ended.
  std::size_t running() { return system_.registry().running(); }

private:
#if FMAP_CAF_1
  using config = caf::actor_system_config;

  static void set_up(caf::actor_system& system, config&, void* self) {
    auto scheduler = std::make_unique<step_scheduler>();
    auto clock = std::make_unique<step_clock>();
    static_cast<stepped_system*>(self)->scheduler_ = scheduler.get();
    static_cast<stepped_system*>(self)->clock_ = clock.get();
    caf::detail::actor_system_access access{system};
    access.clock(std::move(clock));
    access.scheduler(std::move(scheduler));
  }

  step_scheduler& scheduler() { return *scheduler_; }
  step_clock& clock() { return *clock_; }

  step_scheduler* scheduler_ = nullptr;
  step_clock* clock_ = nullptr;
  config config_;
  caf::actor_system system_{config_, set_up, this};
#else
  struct config : caf::actor_system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  };

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  /// Of this version's scheduler, with the names of the other's clock.
  struct test_clock {
    caf::scheduler::test_coordinator& scheduler;
    std::size_t advance(std::chrono::nanoseconds time) {
      return scheduler.advance_time(std::chrono::duration_cast<caf::timespan>(time));
    }
    bool has_pending_timeout() { return scheduler.has_pending_timeout(); }
  };
  test_clock clock() { return {scheduler()}; }

  config config_;
  caf::actor_system system_{config_};
#endif

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

  std::map<std::string, std::vector<caf::actor>> known_;
  std::mt19937_64 random_;
};

}  // namespace testing
