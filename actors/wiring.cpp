// SPDX-License-Identifier: BSD-3-Clause
// The wiring: the only place that knows all rooms. Spawns the actors of a pool and connects them.

#include "actors/wiring.hpp"

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <sys/syscall.h>
#include <unistd.h>

#include <fmap/detail/travelling_task.hpp>

#include "actors/actor_bell.hpp"
#include "actors/node/node.hpp"
#include "actors/source/source.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "actors/worker/worker.hpp"

namespace fmap::actors {

namespace {

/// CAF ends the program when a thread of a system that it is building cannot be created, so this finds out
/// beforehand: starts as many threads and ends them. Throws std::system_error.
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
      failed = std::make_exception_ptr(
          std::system_error{e.code(), "fmap: a pool's threads could not be started"});
    }
  }
  for (auto& t : tried) t.join();
  // The kernel counts a thread until it is gone for good, which is a little later.
  for (std::size_t i = 0; i != tried.size(); ++i)
    while (::syscall(SYS_tgkill, ::getpid(), ids[i].load(), 0) == 0) std::this_thread::yield();
  if (failed) std::rethrow_exception(failed);
}

/// CAF's clock, its scheduler and its printer, and a pool's supervisor.
constexpr std::size_t least_threads = 4;

struct own_system {
  struct config : caf::actor_system_config {
    config() {
      try_threads(least_threads);
      configure(*this);
    }
  };

  config settings;
  caf::actor_system system{settings};
};

/// What somebody else has to wait for, as its own task cannot.
struct last_owner {
  std::shared_ptr<shared_mailbox> box;
  std::shared_ptr<caf::actor_system> system;
};

void wait_elsewhere(std::unique_ptr<last_owner> last) noexcept {
  try {
    std::thread{[last = last.get()] {
      last->box->wait_until_left();
      delete last;
    }}.detach();
  } catch (const std::system_error&) {
    // No thread can be had. Then the actor system stays.
  }
  static_cast<void>(last.release());
}

[[maybe_unused]] const bool types_are_known = announce_types<caf::id_block::fmap>();

}  // namespace

std::shared_ptr<caf::actor_system> default_system() {
  // Never destroyed: statics of the user's may make and destroy pools while the program ends.
  struct place {
    const unsigned forks = detail::pool_core::forks();
    std::mutex mutex;
    std::weak_ptr<own_system> existing;
  };
  static auto& here = *new std::atomic<place*>{new place};
  place* now = here;
  // What a forked process has inherited is without threads, and may be locked.
  if (now->forks != detail::pool_core::forks()) {
    auto fresh = std::make_unique<place>();
    if (here.compare_exchange_strong(now, fresh.get())) now = fresh.release();
  }
  std::lock_guard guard{now->mutex};
  auto owner = now->existing.lock();
  if (!owner) now->existing = owner = std::make_shared<own_system>();
  return {owner, &owner->system};
}

actor_core::actor_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
                       std::uint32_t workers, threads where)
    : pool_core{workers}, system_{system}, threads_{where}, owner_{std::move(owner)} {}

void actor_core::start_supervisor(std::function<caf::actor()> spawn_worker,
                                  std::function<void(std::exception_ptr)> give_up) {
  if (!give_up)
    give_up = [box = box.get()](std::exception_ptr why) { box->break_up(std::move(why)); };
  box->set_supervisor(std::make_shared<actor_bell<wake>>(
      spawn<supervisor>(system_, threads_, box, std::move(spawn_worker), std::move(give_up))));
}

// Usually the pool has been shut down; a task that held the last reference cannot wait for itself.
actor_core::~actor_core() {
  if (forked()) {
    // All of it stays, as nothing of it can end here.
    new auto(box);
    new auto(std::move(owner_));
    return;
  }
  box->shut_down();
  if (on_its_own_) return;
  if (!from_inside())
    box->wait_until_left();
  else if (owner_)
    wait_elsewhere(std::make_unique<last_owner>(box, std::move(owner_)));
}

void actor_core::let_run_out() {
  box->shut_down();
  on_its_own_ = true;
}

void actor_core::start_source(const run_ptr& r) {
  if (!can_kill() && r->from->at_hand()) return box->pull_by_workers(*r);
  box->attach_source(
      *r, std::make_shared<actor_bell<demand>>(spawn<source>(system_, threads_, box, r)));
}

thread_core::thread_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
                         std::uint32_t workers, std::function<void()> initializer, threads where,
                         std::function<void(std::exception_ptr)> give_up)
    : actor_core{system, std::move(owner), workers, where} {
  start_supervisor(
      [&system, where, box = box, initializer = std::move(initializer)] {
        return spawn<worker_actor>(system, where, box, initializer);
      },
      std::move(give_up));
}

process_core::process_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
                           std::uint32_t workers, node_settings settings)
    : actor_core{system, std::move(owner), workers, threads::own},
      commons_{std::make_shared<node_commons>(workers, std::move(settings))} {
  box->set_task_job(std::make_shared<detail::remote_task_job>());
  start_supervisor([&system, box = box, commons = commons_] {
    return spawn<node>(system, threads::own, box, commons);
  });
}

void process_core::end_workers(node_commons::ending how, const char* why) {
  commons_->how_to_end = how;
  box->shut_down(true);
  box->break_up(std::make_exception_ptr(error{why}));
}

}  // namespace fmap::actors
