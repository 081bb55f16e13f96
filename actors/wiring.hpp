// SPDX-License-Identifier: BSD-3-Clause
// The wiring: the only place that knows all rooms. Spawns the actors of a pool and connects them.
#pragma once

#include <functional>
#include <memory>
#include <system_error>

#include "actors/caf_compat.hpp"
#include "actors/pool_core.hpp"
#include "src/remote/process_shared.hpp"

namespace fmap::actors {

/// An actor system of fmap's own, shared by all pools that are not given one. Throws std::system_error if there
/// are no threads for it.
std::shared_ptr<caf::actor_system> default_system();

/// Where the actors run.
enum class threads {
  own,       ///< each on a thread of its own, whatever the system's scheduler is doing
  scheduled  ///< all on the system's scheduler: for tests that run it step by step
};

/// Called by users' threads, too, which may live longer than the system. Throws std::system_error if there is
/// no thread for the actor, which has ended then.
template <class Actor, class... Args>
caf::actor spawn(caf::actor_system& system, threads where, Args&&... args) {
  try {
    caf::actor result = where == threads::own
                            ? system.spawn<Actor, caf::detached>(std::forward<Args>(args)...)
                            : system.spawn<Actor>(std::forward<Args>(args)...);
    forget_logger();
    return result;
  } catch (const std::system_error& e) {
    forget_logger();
    throw std::system_error{e.code(), "fmap: a thread could not be started"};
  }
}

/// The inside of a pool: a supervisor, and the workers that it spawns.
class actor_core : public detail::pool_core {
public:
  ~actor_core() override;

  void start_source(const run_ptr&) override;
  void let_run_out() override;
  caf::actor_system* users_system() const override { return owner_ ? nullptr : &system_; }

protected:
  /// `owner` keeps the system alive if it is fmap's own.
  actor_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
             std::uint32_t workers, threads);

  /// `give_up` is called when no worker can be started; left out, that breaks the pool.
  void start_supervisor(std::function<caf::actor()> spawn_worker,
                        std::function<void(std::exception_ptr)> give_up = {});

  caf::actor_system& system_;
  const threads threads_;

private:
  std::shared_ptr<caf::actor_system> owner_;
  bool on_its_own_ = false;  // nobody waits for the pool's end
};

/// The inside of a thread_pool.
class thread_core : public actor_core {
public:
  thread_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
              std::uint32_t workers, std::function<void()> initializer, threads = threads::own,
              std::function<void(std::exception_ptr)> give_up = {});

  bool can_kill() const override { return false; }
};

/// The same for a map whose function returns std::futures: a worker waits for each item in flight.
class waiting_core final : public thread_core {
public:
  using thread_core::thread_core;
  void bound_changed(std::uint64_t buffersize) override;
};

/// The same on a system of its own, for a worker process.
std::shared_ptr<detail::pool_core> make_threads(std::uint32_t workers,
                                                std::function<void()> initializer,
                                                std::function<void(std::exception_ptr)> give_up);

/// The inside of a process_pool.
class process_core final : public actor_core {
public:
  process_core(caf::actor_system& system, std::shared_ptr<caf::actor_system> owner,
               std::uint32_t workers, remote::process_settings settings);

  bool can_kill() const override { return true; }

  /// Ends all processes now; the pool is shut down and broken.
  void end_workers(remote::process_shared::ending how, const char* why);

private:
  const std::shared_ptr<remote::process_shared> shared_;
};

}  // namespace fmap::actors
