// SPDX-License-Identifier: BSD-3-Clause
// The wiring: the only place that knows all rooms. Spawns the actors of a pool and connects them.
#pragma once

#include <functional>
#include <memory>

#include "actors/caf_compat.hpp"
#include "actors/pool_core.hpp"

namespace fmap::actors {

/// An actor system of fmap's own, shared by all pools that are not given one.
std::shared_ptr<caf::actor_system> default_system();

/// Where the actors run.
enum class threads {
  own,       ///< each on a thread of its own, whatever the system's scheduler is doing
  scheduled  ///< all on the system's scheduler: for tests that run it step by step
};

/// The inside of a thread_pool.
class thread_core final : public detail::pool_core {
public:
  /// `owner` keeps the system alive if it is fmap's own.
  thread_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
              std::uint32_t workers, std::function<void()> initializer, threads = threads::own);
  ~thread_core() override;

  void start_source(const run_ptr&) override;
  bool can_kill() const override { return false; }

private:
  std::shared_ptr<caf::actor_system> owner_;
  caf::actor_system& system_;
  threads threads_;
};

}  // namespace fmap::actors
