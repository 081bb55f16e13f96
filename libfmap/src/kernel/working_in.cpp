// SPDX-License-Identifier: BSD-3-Clause
// Which pool's work a thread is doing.

#include "src/kernel/working_in.hpp"

#include "src/kernel/worker_port.hpp"

namespace fmap::kernel {

constinit thread_local shared_mailbox* working_for = nullptr;

seeing_out::seeing_out() noexcept : box_{working_for} {
  if (box_ != nullptr) worker_port{*box_}.step_aside();
}

seeing_out::~seeing_out() {
  if (box_ != nullptr) worker_port{*box_}.step_back();
}

}  // namespace fmap::kernel
