// SPDX-License-Identifier: BSD-3-Clause
// What a worker may do at the shared mailbox: take, run, settle; and wait.
#pragma once

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

class worker_port {
public:
  explicit worker_port(shared_mailbox& box) : box_{box} {}

  void join(worker&, doorbell_ptr);

  /// Takes and runs batches until there are none. False: the pool is closing, leave.
  bool work(worker&);

  void leave(worker&);

  /// A worker is about to wait for something else: another one may be started meanwhile. Throws
  /// would_deadlock if too many wait already.
  void block();
  void unblock();

  /// The same for what is never refused; see seeing_out.
  void step_aside() noexcept;
  void step_back() noexcept;

private:
  shared_mailbox& box_;
};

}  // namespace fmap::kernel
