// SPDX-License-Identifier: BSD-3-Clause
// What a pool looks like from a map: a shared mailbox, and somebody who runs sources.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include <fmap/options.hpp>

#include "src/kernel/doorbell.hpp"
#include "src/kernel/shared_mailbox.hpp"
#include "src/kernel/working_in.hpp"

namespace caf {
class actor_system;
}

namespace fmap::detail {

/// The inside of a pool. Maps keep it alive, but not its workers.
class pool_core {
public:
  explicit pool_core(std::uint32_t workers)
      : box{std::make_shared<actors::shared_mailbox>(workers)}, workers_{workers} {}
  virtual ~pool_core() = default;
  pool_core(const pool_core&) = delete;
  pool_core& operator=(const pool_core&) = delete;

  /// Has this run's input pulled: by a source on a thread of its own, or by workers if it is at hand.
  virtual void start_source(const actors::run_ptr&) = 0;

  /// A worker of some pool is about to wait for outcomes of this run. Until its bell is rung it runs what they wait
  /// for, as far as its own pool is to run that and nobody has begun.
  virtual void help(actors::run&, const actors::parker& /*bell*/) {}

  /// The run is about to be closed.
  virtual void let_go(actors::run&) {}

  /// Shuts down without waiting, now or when it is destroyed: its actors end by themselves when all is done.
  virtual void let_run_out() {}

  /// The actor system of the pool's, if that is the user's.
  virtual caf::actor_system* users_system() const { return nullptr; }

  /// Whether this process was forked from the one that made the pool. Then nothing of it is to be touched.
  bool forked() const { return box->home.left(); }

  /// Throws broken_pool if forked().
  void check_not_forked() const;

  /// Whether this thread is running a task of this pool.
  bool from_inside() const { return actors::working_for == box.get(); }

  /// Whether a worker that hangs can be ended by force.
  virtual bool can_kill() const = 0;

  /// How many workers there are to be.
  std::uint32_t workers() const { return workers_.load(std::memory_order_relaxed); }

  /// Any thread may call it, at any time. Throws pool_shutdown or broken_pool.
  void resize(std::uint32_t workers);

  /// With `most` the number of workers adapts, up to that; those that are not needed for this long leave. Throws
  /// std::invalid_argument.
  void set_limits(std::optional<std::uint32_t> most, std::chrono::nanoseconds idle_timeout);

  /// A map on this pool may have so many items in flight from now on.
  virtual void bound_changed(std::uint64_t /*buffersize*/) {}

  const std::shared_ptr<actors::shared_mailbox> box;

private:
  std::mutex resizing_;
  std::atomic<std::uint32_t> workers_;
};

/// What options mean for a run on this pool. The one place where they are checked; throws
/// std::invalid_argument.
actors::run_limits checked(const map_options&, const pool_core&);

}  // namespace fmap::detail
