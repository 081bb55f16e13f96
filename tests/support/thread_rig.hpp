// SPDX-License-Identifier: BSD-3-Clause
// A pool on plain threads: what the actors do, without CAF, so that ThreadSanitizer sees all of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <fmap/detail/function_job.hpp>

#include "actors/pool_core.hpp"
#include "support/every_port.hpp"

namespace testing {

using fmap::actors::parker;
using fmap::actors::pulled;
using fmap::actors::run_ptr;
using fmap::actors::source_port;

/// Supervisor, workers and sources as threads. They hold the mailbox, not the core, as actors do.
class thread_core final : public fmap::detail::pool_core {
public:
  thread_core(std::uint32_t workers, std::function<void()> initializer)
      : pool_core{workers}, initializer_{std::move(initializer)} {
    everything().set_supervisor(bell_);
    supervisor_ = std::thread{[this] { supervise(); }};
  }

  ~thread_core() override {
    shut_down();
    supervisor_.join();
    for (auto& w : workers_) w.join();
    for (auto& s : sources_) s.thread.join();
  }

  void start_source(const run_ptr& r) override {
    {
      std::lock_guard guard{mutex_};
      latest_ = r;
    }
    if (r->in.from->at_hand()) return everything().pull_by_workers(*r);
    auto bell = std::make_shared<parker>();
    {
      std::lock_guard guard{mutex_};
      reap();
      sources_.emplace_back();
      one_source& mine = sources_.back();
      mine.thread = std::thread{[box = box, bell, r, &done = mine.done] {
        do bell->wait();
        while (source_port{*box}.pull(*r) != pulled::over);
        source_port{*box}.detach(*r, nullptr);
        done = true;
      }};
    }
    everything().attach(*r, bell);
  }

  void shut_down() {
    everything().shut_down();
    everything().wait_until_left();
  }

  bool can_kill() const override { return false; }

  /// Ends the supervisor while the pool is in use.
  void end_supervisor() {
    ended_ = true;
    bell_->ring();
  }

  /// The run that was started last.
  run_ptr latest() const {
    std::lock_guard guard{mutex_};
    return latest_;
  }

private:
  every_port everything() const { return every_port{*box}; }

  struct one_source {
    std::thread thread;
    std::atomic<bool> done{false};
  };

  void supervise() {
    using fmap::actors::clock;
    bool ticking = false;
    clock::time_point next_tick{};
    std::chrono::microseconds pause = fmap::kernel::tuning::tick;
    for (;;) {
      if (ticking)
        bell_->wait(next_tick);
      else
        bell_->wait();
      if (ended_) break;
      const auto duties = everything().take_duties();
      for (std::uint32_t i = 0; i != duties.start; ++i) workers_.emplace_back([this] { work(); });
      if (duties.quit) break;
      if (ticking && clock::now() >= next_tick) {
        pause = everything().tick();
        ticking = pause.count() != 0;
      } else if (!duties.tick) {
        continue;
      }
      if (duties.tick) pause = fmap::kernel::tuning::tick;
      ticking = ticking || duties.tick;
      next_tick = clock::now() + pause;
    }
    everything().supervisor_gone(
        std::make_exception_ptr(std::runtime_error{"the supervisor was ended"}));
  }

  void work() {
    auto bell = std::make_shared<parker>();
    fmap::actors::worker place;
    place.supervised = true;
    every_port port = everything();
    port.join(place, bell);
    try {
      if (initializer_) initializer_();
    } catch (...) {
      port.break_up(std::current_exception());
    }
    while (port.work(place)) bell->wait();
    port.leave(place);
  }

  /// Joins sources that have ended.
  void reap() {
    sources_.remove_if([](one_source& s) {
      if (!s.done) return false;
      s.thread.join();
      return true;
    });
  }

  std::function<void()> initializer_;
  std::shared_ptr<parker> bell_ = std::make_shared<parker>();
  std::atomic<bool> ended_{false};
  std::thread supervisor_;
  std::vector<std::thread> workers_;  // the supervisor's, until that has ended
  mutable std::mutex mutex_;
  std::list<one_source> sources_;
  run_ptr latest_;
};

/// The pool that maps are made on.
class thread_rig {
public:
  explicit thread_rig(std::uint32_t workers, std::function<void()> initializer = nullptr)
      : core_{std::make_shared<thread_core>(workers, std::move(initializer))} {}
  ~thread_rig() { shutdown(); }
  thread_rig(const thread_rig&) = delete;
  thread_rig& operator=(const thread_rig&) = delete;

  const std::shared_ptr<thread_core>& core() const { return core_; }

  template <class In, class Fn>
  static std::shared_ptr<fmap::detail::job> make_job(Fn fn) {
    return std::make_shared<fmap::detail::function_job<In, Fn>>(std::move(fn));
  }

  every_port box() const { return every_port{*core_->box}; }
  void shutdown() { core_->shut_down(); }

private:
  std::shared_ptr<thread_core> core_;
};

}  // namespace testing
