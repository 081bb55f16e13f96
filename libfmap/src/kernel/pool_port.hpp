// SPDX-License-Identifier: BSD-3-Clause
// What a pool may do at its shared mailbox: runs, tasks, its end.
#pragma once

#include <exception>
#include <memory>

#include <fmap/detail/task.hpp>

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

class pool_port {
public:
  explicit pool_port(shared_mailbox& box) : box_{box} {}

  /// Throws broken_pool or pool_shutdown. `sink` is rung when there are outcomes after a wait.
  run_ptr open(const run_limits&, std::shared_ptr<job>, std::unique_ptr<input>, doorbell_ptr sink);

  /// Queues a task. Throws broken_pool or pool_shutdown.
  void push(detail::task_ptr);

  /// The job of the tasks, if it is not the one for threads. Before the first push().
  void set_task_job(std::shared_ptr<job> tasks);

  /// The number of workers is to adapt.
  void set_limits(const adaptive_limits&);

  /// There are to be so many workers: more are started as there is work for them, and those that are too many leave
  /// after what they are executing. Throws broken_pool or pool_shutdown.
  void resize(std::uint32_t workers);

  /// No new runs and tasks; sources stop pulling, what was pulled is finished, workers leave when all is done.
  void shut_down();

  /// Cancels the tasks that have not been started.
  void cancel_tasks();

  /// Every queued item, now and later, ends as an outcome with this error.
  void break_up(std::exception_ptr cause);

  /// After shut_down(): blocks until all that was pulled is finished and no worker is left.
  void wait_until_left();

  bool closing();
  std::uint32_t capacity();  ///< that it may have now
  std::exception_ptr broken();

  /// How often each reason has decided so far whether somebody was called.
  reasons counted();

private:
  shared_mailbox& box_;
};

}  // namespace fmap::kernel
