// SPDX-License-Identifier: BSD-3-Clause
// What the policies ask of the parts.
#pragma once

#include <cstdint>

#include "src/kernel/shared_mailbox.hpp"
#include "src/kernel/visit.hpp"

namespace fmap::kernel {

/// There is something to do: items are queued, or a worker could pull some.
inline bool work_waits(const mailbox_parts& p) {
  return p.ledger.queued() != 0 || !p.pulls.empty();
}

/// It has items that are not finished. One whose items are executed elsewhere may sleep meanwhile.
inline bool holds_something(const mailbox_parts& p, const worker& w) {
  return w.remote ? !p.ledger.held_by(w.id).empty() : w.has.of != nullptr;
}

/// Workers have nothing to do.
inline bool workers_starve(const mailbox_parts& p) {
  return p.workers.anyone_asleep() && p.ledger.queued() == 0;
}

/// Nobody is going to bring or to take anything of this run unless somebody is called.
bool stalled(const run&, const run_counts&);
bool stalled(const mailbox_parts&, const run&);

/// No outcome will come any more, other than those handed out already.
bool exhausted(const mailbox_parts&, const run&);

/// How many items a worker could pull of an input at hand.
std::uint64_t pullable(const run&, const run_counts&);
std::uint64_t pullable(const mailbox_parts&, const run&);

/// Lets a worker pull an input at hand if nothing of it is queued and there are tokens enough for a visit to it, or
/// any at all.
enum class tokens : std::uint8_t { enough, any };
void line_up(visit&, run&, tokens = tokens::enough);

/// A party that is between two looks has something worth coming for. Those that look for fine-grained items are on a
/// processor of their own, or will soon be.
bool somebody_looks(const mailbox_parts&, const run&);

/// Nothing to do, and nobody who could bring anything.
bool idle_for_good(const mailbox_parts&);

/// And no worker is left.
bool settled(const mailbox_parts&);

/// A task of this pool waits for a run that nobody is at. If all workers are at items that wait for what the task
/// holds, a mutex for instance, that stays so for ever.
bool forsaken(const mailbox_parts&, const run&);

/// The one that a reserve came for longest ago, if there is any.
run* most_forsaken(const mailbox_parts&);

/// How long one worker would be busy with what is queued and what can be pulled; max() if it is not known.
ledger::duration time_to_do(const mailbox_parts&);

}  // namespace fmap::kernel
