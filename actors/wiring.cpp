// SPDX-License-Identifier: BSD-3-Clause
// The wiring: the only place that knows all rooms. Spawns the actors of a pool and connects them.

#include "actors/wiring.hpp"

#include <mutex>
#include <thread>

#include <fmap/detail/travelling_task.hpp>

#include "actors/actor_bell.hpp"
#include "actors/node/node.hpp"
#include "actors/source/source.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "actors/worker/worker.hpp"

namespace fmap::actors {

namespace {

struct own_system {
  struct config : caf::actor_system_config {
    config() { configure(*this); }
  };

  config settings;
  caf::actor_system system{settings};
};

[[maybe_unused]] const bool types_are_known = announce_types<caf::id_block::fmap>();

}  // namespace

std::shared_ptr<caf::actor_system> default_system() {
  // Never destroyed: statics of the user's may make and destroy pools while the program ends.
  static auto& mutex = *new std::mutex;
  static auto& existing = *new std::weak_ptr<own_system>;
  std::lock_guard guard{mutex};
  auto owner = existing.lock();
  if (!owner) existing = owner = std::make_shared<own_system>();
  return {owner, &owner->system};
}

actor_core::actor_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
                       std::uint32_t workers, threads where)
    : pool_core{workers}, system_{system}, threads_{where}, owner_{std::move(owner)} {}

void actor_core::start_supervisor(std::function<caf::actor()> spawn_worker) {
  box->set_supervisor(std::make_shared<actor_bell<wake>>(
      spawn<supervisor>(system_, threads_, box, std::move(spawn_worker))));
}

// Usually the pool has been shut down; a task that held the last reference cannot wait for itself.
actor_core::~actor_core() {
  box->shut_down();
  if (on_its_own_) return;
  if (!from_inside())
    box->wait_until_left();
  else if (owner_)
    std::thread{[owner = std::move(owner_), box = box] { box->wait_until_left(); }}.detach();
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
                         std::uint32_t workers, std::function<void()> initializer, threads where)
    : actor_core{system, std::move(owner), workers, where} {
  start_supervisor([&system, where, box = box, initializer = std::move(initializer)] {
    return spawn<worker_actor>(system, where, box, initializer);
  });
}

process_core::process_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
                           std::uint32_t workers, node_settings settings)
    : actor_core{system, std::move(owner), workers, threads::own} {
  box->set_task_job(std::make_shared<detail::remote_task_job>());
  start_supervisor(
      [&system, box = box, commons = std::make_shared<node_commons>(workers, std::move(settings))] {
        return spawn<node>(system, threads::own, box, commons);
      });
}

}  // namespace fmap::actors
