// SPDX-License-Identifier: BSD-3-Clause
// The wiring: the only place that knows all rooms. Spawns the actors of a pool and connects them.

#include "actors/wiring.hpp"

#include <new>
#include <thread>

#include <fmap/detail/travelling_task.hpp>

#include "actors/actor_bell.hpp"
#include "actors/process/process_session.hpp"
#include "actors/source/source.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "actors/worker/worker.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/kernel/source_port.hpp"
#include "src/kernel/supervisor_port.hpp"

namespace fmap::actors {

namespace {

/// What somebody else has to wait for, as its own task cannot.
struct last_owner {
  std::shared_ptr<shared_mailbox> box;
  std::shared_ptr<caf::actor_system> system;
};

void wait_elsewhere(std::unique_ptr<last_owner> last) noexcept {
  try {
    std::thread{[last = last.get()] {
      pool_port{*last->box}.wait_until_left();
      delete last;
    }}.detach();
  } catch (const std::system_error&) {
    // No thread can be had. Then the actor system stays.
  }
  static_cast<void>(last.release());
}

[[maybe_unused]] const bool types_are_known = announce_types<caf::id_block::fmap>();

}  // namespace

actor_core::actor_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
                       std::uint32_t workers, threads where)
    : pool_core{workers}, system_{system}, threads_{where}, owner_{std::move(owner)} {}

void actor_core::start_supervisor(std::function<caf::actor()> spawn_worker,
                                  std::function<void(std::exception_ptr)> give_up) {
  if (!give_up)
    give_up = [box = box.get()](std::exception_ptr why) {
      pool_port{*box}.break_up(std::move(why));
    };
  supervisor_port{*box}.set_supervisor(std::make_shared<actor_bell<wake>>(
      spawn<supervisor>(system_, threads_, box, std::move(spawn_worker), std::move(give_up))));
}

// Usually the pool has been shut down; a task that held the last reference cannot wait for itself.
actor_core::~actor_core() {
  if (forked()) {
    // All of it stays, as nothing of it can end here.
    static_cast<void>(new (std::nothrow) auto(box));
    static_cast<void>(new (std::nothrow) auto(std::move(owner_)));
    return;
  }
  pool_port{*box}.shut_down();
  if (on_its_own_) return;
  if (!from_inside())
    pool_port{*box}.wait_until_left();
  else if (owner_)
    wait_elsewhere(std::make_unique<last_owner>(box, std::move(owner_)));
}

void actor_core::let_run_out() {
  pool_port{*box}.shut_down();
  on_its_own_ = true;
}

void actor_core::start_source(const run_ptr& r) {
  source_port port{*box};
  if (!can_kill() && r->in.from->at_hand()) return port.pull_by_workers(*r);
  port.attach(*r, std::make_shared<actor_bell<demand>>(spawn<source>(system_, threads_, box, r)));
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

std::shared_ptr<detail::pool_core> make_threads(std::uint32_t workers,
                                                std::function<void()> initializer,
                                                std::function<void(std::exception_ptr)> give_up) {
  auto owner = default_system();
  auto& system = *owner;
  return std::make_shared<thread_core>(system, std::move(owner), workers, std::move(initializer),
                                       threads::own, std::move(give_up));
}

process_core::process_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
                           std::uint32_t workers, remote::process_settings settings)
    : actor_core{system, std::move(owner), workers, threads::own},
      shared_{std::make_shared<remote::process_shared>(std::move(settings))} {
  pool_port{*box}.set_task_job(std::make_shared<detail::remote_task_job>());
  start_supervisor([&system, box = box, shared = shared_] {
    return spawn<process_session>(system, threads::own, box, shared);
  });
}

void process_core::end_workers(remote::process_shared::ending how, const char* why) {
  shared_->how_to_end = how;
  pool_port port{*box};
  port.shut_down();
  port.cancel_tasks();
  port.break_up(std::make_exception_ptr(error{why}));
}

}  // namespace fmap::actors
