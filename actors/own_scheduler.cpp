// SPDX-License-Identifier: BSD-3-Clause
// How the actor system of fmap's own gets its threads.

#include "actors/own_scheduler.hpp"

#include <system_error>
#include <thread>

#if FMAP_CAF_1
#  include <atomic>
#  include <mutex>
#  include <vector>

#  include <sys/syscall.h>
#  include <unistd.h>
#else
#  include <deque>
#  include <iostream>
#  include <mutex>
#  include <string>

#  include <caf/detail/thread_safe_actor_clock.hpp>
#  include <caf/make_actor.hpp>
#  include <caf/message_handler.hpp>
#  include <caf/monitorable_actor.hpp>
#  include <caf/scheduler/abstract_coordinator.hpp>
#endif

namespace fmap::actors {

namespace {

std::exception_ptr no_threads(const std::system_error& e) {
  return std::make_exception_ptr(
      std::system_error{e.code(), "fmap: a pool's threads could not be started"});
}

#if FMAP_CAF_1

/// CAF's clock, its scheduler and its printer, and a pool's supervisor.
constexpr std::size_t least_threads = 4;

/// Finds out beforehand: starts as many threads and ends them. Throws std::system_error.
void try_threads(std::size_t count) {
  std::mutex gate;
  std::vector<std::thread> tried;
  std::vector<std::atomic<long>> ids(count);
  std::exception_ptr failed;
  {
    std::lock_guard closed{gate};
    try {
      tried.reserve(count);
      for (auto& id : ids)
        tried.emplace_back([&gate, &id] {
          id = ::syscall(SYS_gettid);
          std::lock_guard open{gate};
        });
    } catch (const std::system_error& e) {
      failed = no_threads(e);
    }
  }
  for (auto& t : tried) t.join();
  // The kernel counts a thread until it is gone for good, which is a little later.
  for (std::size_t i = 0; i != tried.size(); ++i)
    while (::syscall(SYS_tgkill, ::getpid(), ids[i].load(), 0) == 0) std::this_thread::yield();
  if (failed) std::rethrow_exception(failed);
}

#else

/// Prints what CAF has to say of an actor, without a thread for that.
class plain_printer final : public caf::monitorable_actor {
public:
  explicit plain_printer(caf::actor_config& config) : monitorable_actor{config} {}
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    caf::message_handler{[](caf::add_atom, caf::actor_id, const std::string& text) {
      std::cout << text << std::flush;
    }}(what->content());
  }
};

/// For a system whose actors have threads of their own: of the scheduler they need the clock only. CAF's own few
/// actors, which nobody talks to, run when the system ends.
class own_scheduler final : public caf::scheduler::abstract_coordinator, caf::execution_unit {
public:
  own_scheduler(caf::actor_system& system, std::exception_ptr& failed)
      : abstract_coordinator{system}, execution_unit{&system}, failed_{failed} {}

  void enqueue(caf::resumable* actor) override {
    std::lock_guard lock{mutex_};
    ready_.push_back(actor);
  }
  void exec_later(caf::resumable* actor) override { enqueue(actor); }
  caf::actor_clock& clock() noexcept override { return clock_; }

protected:
  void start() override {
    caf::actor_system& sys = abstract_coordinator::system();
    try {
      timer_ = std::thread{[this, &sys] {
        CAF_SET_LOGGER_SYS(&sys);
        clock_.run_dispatch_loop();
      }};
    } catch (const std::system_error& e) {
      failed_ = no_threads(e);
    }
    caf::actor_config config;
    utility_actors_[printer_id] =
        caf::make_actor<plain_printer, caf::actor>(sys.next_actor_id(), sys.node(), &sys, config);
  }

  void stop() override {
    while (caf::resumable* actor = next())
      if (actor->resume(this, max_throughput_) == caf::resumable::resume_later)
        enqueue(actor);
      else
        caf::intrusive_ptr_release(actor);
    utility_actors_[printer_id] = nullptr;
    if (!timer_.joinable()) return;
    clock_.cancel_dispatch_loop();
    timer_.join();
  }

private:
  caf::resumable* next() {
    std::lock_guard lock{mutex_};
    if (ready_.empty()) return nullptr;
    caf::resumable* const result = ready_.front();
    ready_.pop_front();
    return result;
  }

  std::exception_ptr& failed_;
  caf::detail::thread_safe_actor_clock clock_;
  std::mutex mutex_;
  std::deque<caf::resumable*> ready_;
  std::thread timer_;
};

#endif

}  // namespace

#if FMAP_CAF_1

void schedule_safely(caf::actor_system_config&, std::exception_ptr&) { try_threads(least_threads); }

#else

void schedule_safely(caf::actor_system_config& config, std::exception_ptr& failed) {
  config.module_factories.emplace_back(
      [&failed](caf::actor_system& system) -> caf::actor_system::module* {
        return new own_scheduler{system, failed};
      });
}

#endif

}  // namespace fmap::actors
