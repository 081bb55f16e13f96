// SPDX-License-Identifier: BSD-3-Clause
// The wiring of pools whose workers are on other machines, and of a node.
#pragma once

#include <cstdint>
#include <memory>

#include "actors/wiring.hpp"
#include "src/remote/door/node_shared.hpp"

namespace fmap::actors {

/// The inside of a node_pool.
class node_core final : public actor_core {
public:
  node_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
            std::shared_ptr<remote::node_shared> shared);

  bool can_kill() const override { return true; }

  remote::node_roster& roster() const { return shared_->roster; }
  remote::node_shared& shared() const { return *shared_; }

private:
  static std::uint32_t workers_of(const remote::node_shared&);

  const std::shared_ptr<remote::node_shared> shared_;
};

/// The inside of a node: a pool of processes on a system of its own.
std::shared_ptr<detail::pool_core> make_processes(std::uint32_t workers,
                                                  remote::process_settings settings);

}  // namespace fmap::actors
