// SPDX-License-Identifier: BSD-3-Clause
// The wiring of pools whose workers are on other machines, and of a node.

#include "actors/wiring_node.hpp"

#include <exception>
#include <utility>

#include <fmap/detail/travelling_task.hpp>

#include "actors/node/node_place.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/kernel/supervisor_port.hpp"

namespace fmap::actors {

node_core::node_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
                     std::shared_ptr<remote::node_shared> shared)
    : actor_core{system, std::move(owner),
                 static_cast<std::uint32_t>(shared->settings.launch.size()), threads::own},
      shared_{std::move(shared)} {
  pool_port{*box}.set_task_job(std::make_shared<detail::remote_task_job>());
  start_supervisor(
      [&system, box = box, shared = shared_] {
        const std::size_t place = shared->next_place;  // the supervisor alone comes here
        if (place < shared->settings.launch.size()) {
          caf::actor result = spawn<node_place>(system, threads::own, box, shared, place);
          ++shared->next_place;
          return result;
        }
        // Somebody waits, and another worker might help; but nodes come by themselves.
        supervisor_port{*box}.never_came();
        throw error{"fmap: there is no other node"};
      },
      [](const std::exception_ptr&) {});
  supervisor_port{*box}.start_all();
}

std::shared_ptr<detail::pool_core> make_processes(std::uint32_t workers,
                                                  remote::process_settings settings) {
  auto owner = default_system();
  auto& system = *owner;
  return std::make_shared<process_core>(system, std::move(owner), workers, std::move(settings));
}

}  // namespace fmap::actors
