// SPDX-License-Identifier: BSD-3-Clause
// What a worker process may do at its shared mailbox, whose runs are guests there: their items come in messages.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

class guest_port {
public:
  explicit guest_port(shared_mailbox& box) : box_{box} {}

  /// Queues the items in the first `count` slots of a chunk that came from elsewhere; the run has no
  /// source of its own. `alone`: it is one item, and a suspect.
  void push(run&, std::unique_ptr<chunk>, std::uint32_t count, bool alone = false);

  /// Takes what is queued of a run out of it. The slots keep their items, until release().
  std::vector<outcome_span> withdraw(run&);
  void release(run&, const outcome_span&);

  /// Time per item, measured or else expected; 0 while unknown.
  ledger::duration cost(const run&);

private:
  shared_mailbox& box_;
};

}  // namespace fmap::kernel
