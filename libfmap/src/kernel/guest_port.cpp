// SPDX-License-Identifier: BSD-3-Clause
// What a worker process may do at its shared mailbox, whose runs are guests there: their items come in messages.

#include "src/kernel/guest_port.hpp"

#include <utility>

#include "src/kernel/failing.hpp"
#include "src/kernel/settling.hpp"

namespace fmap::kernel {

void guest_port::push(run& r, std::unique_ptr<chunk> c, std::uint32_t count, bool alone) {
  visit v{box_};
  // A pool that is broken grants nothing: whoever sees that gives up, and the items are tried elsewhere.
  if (r.stopped() || v->ledger.grant(r.id, count) != count) return;
  const std::uint32_t id = r.chunks.adopt(std::move(c), v->ledger.counts(r.id).pulled, count);
  v.hasten_tick();
  v->ledger.pulled(r.id, id, count, alone);
  v.call_worker();
}

std::vector<outcome_span> guest_port::withdraw(run& r) {
  visit v{box_};
  split_batches(v, r);
  std::vector<outcome_span> result;
  const temporary_worker hand{v, any_number};
  while (const span s = v->ledger.take(hand.id, r.id)) {
    chunk& c = r.chunks.at(s.chunk);
    result.push_back({&c, c.offset(s.first) + s.count, s.count});
    v->ledger.drop(hand.id, r.id, s.first, s.count);
  }
  return result;
}

void guest_port::release(run& r, const outcome_span& s) {
  const visit v{box_};
  r.release(*s.in, s.count);
}

ledger::duration guest_port::cost(const run& r) {
  const visit v{box_};
  return v->ledger.cost(r.id);
}

}  // namespace fmap::kernel
