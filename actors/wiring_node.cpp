// SPDX-License-Identifier: BSD-3-Clause
// The wiring of pools whose workers are on other machines, and of a node.

#include "actors/wiring_node.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include <fmap/detail/travelling_task.hpp>

#include "actors/node/node_place.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/kernel/supervisor_port.hpp"
#include "src/remote/door/door.hpp"
#include "src/remote/door/launcher.hpp"
#include "src/remote/door/node_session.hpp"

namespace fmap::actors {

namespace {

/// A node that has dialled in, until it is served: if no thread can be had for that, it is lost.
struct kept_guest {
  std::shared_ptr<remote::node_shared> shared;
  remote::guest one;

  kept_guest(std::shared_ptr<remote::node_shared> s, remote::guest g)
      : shared{std::move(s)}, one{std::move(g)} {}
  kept_guest(const kept_guest&) = delete;
  kept_guest& operator=(const kept_guest&) = delete;
  ~kept_guest() {
    if (one.line)
      shared->roster.ends(one.place, node_event_kind::lost, "a thread could not be started");
  }

  void serve(const std::shared_ptr<shared_mailbox>& box) {
    const std::size_t place = one.place;
    remote::node_end end;
    try {
      end = remote::node_session{box, shared, std::move(one)}.live();
    } catch (const std::exception& e) {
      end = {remote::node_end::kind::lost, e.what()};
    }
    one.line.reset();
    shared->roster.ends(place, remote::event_of_guest(end.how), end.why);
  }
};

/// What the next worker of the supervisor's is to do: first the commands, then the door, then who has come through it.
std::function<void()> next_duty(const std::shared_ptr<shared_mailbox>& box,
                                const std::shared_ptr<remote::node_shared>& shared) {
  const std::size_t commands = shared->settings.launch.size();
  const std::size_t place = shared->next_place;  // the supervisor alone comes here
  if (place < commands) {
    ++shared->next_place;
    return [box, shared, place] { remote::launcher{box, shared, place}.run(); };
  }
  if (place == commands && shared->door != nullptr) {
    ++shared->next_place;
    return [box, shared] { remote::door{box, shared}.run(); };
  }
  if (auto g = shared->guests.pop()) {
    auto kept = std::make_shared<kept_guest>(shared, std::move(*g));
    return [box, kept] { kept->serve(box); };
  }
  return {};
}

}  // namespace

node_core::node_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
                     std::shared_ptr<remote::node_shared> shared)
    : actor_core{system, std::move(owner), workers_of(*shared), threads::own}, shared_{std::move(
                                                                                   shared)} {
  pool_port{*box}.set_task_job(std::make_shared<detail::remote_task_job>());
  start_supervisor(
      [&system, box = box, shared = shared_]() -> caf::actor {
        auto duty = next_duty(box, shared);
        if (duty) return spawn<node_place>(system, threads::own, box, std::move(duty));
        // Somebody waits, and another worker might help; but nodes come by themselves.
        supervisor_port{*box}.never_came();
        throw error{"fmap: there is no other node"};
      },
      [](const std::exception_ptr&) {});
  supervisor_port{*box}.start_all();
}

std::uint32_t node_core::workers_of(const remote::node_shared& shared) {
  return static_cast<std::uint32_t>(shared.settings.launch.size() + (shared.door ? 1 : 0));
}

std::shared_ptr<detail::pool_core> make_processes(std::uint32_t workers,
                                                  remote::process_settings settings) {
  auto owner = default_system();
  auto& system = *owner;
  return std::make_shared<process_core>(system, std::move(owner), workers, std::move(settings));
}

}  // namespace fmap::actors
