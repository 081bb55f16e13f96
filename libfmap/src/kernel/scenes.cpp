// SPDX-License-Identifier: BSD-3-Clause
// What the policies ask of the parts.

#include "src/kernel/scenes.hpp"

#include <algorithm>

namespace fmap::kernel {

bool stalled(const run& r, const run_counts& c) {
  const bool quick_source = r.in.pulling && r.seen.flush_every.load(std::memory_order_relaxed) > 1;
  return c.queued + c.held == 0 && !quick_source;
}

bool stalled(const mailbox_parts& p, const run& r) { return stalled(r, p.ledger.counts(r.id)); }

bool exhausted(const mailbox_parts& p, const run& r) {
  if (r.stopped()) return true;
  if (r.flowing() || r.in.pulling) return false;
  const run_counts c = p.ledger.counts(r.id);
  return c.queued + c.held + c.waiting == 0 && !p.ledger.has_ready(r.id);
}

std::uint64_t pullable(const run& r, const run_counts& c) {
  if (!r.in.at_hand || r.in.pulling || !r.flowing()) return 0;
  return c.queued == 0 ? c.free + c.granted : 0;
}

std::uint64_t pullable(const mailbox_parts& p, const run& r) {
  if (!r.in.at_hand || r.in.pulling || !r.flowing()) return 0;
  return pullable(r, p.ledger.counts(r.id));
}

void line_up(visit& v, run& r, tokens wanted) {
  if (r.in.in_line) return;
  const std::uint64_t there = pullable(*v, r);
  if (there == 0) return;
  if (wanted == tokens::enough && r.pace.size == grain::fine
      && there < enough_tokens(r.pace.size, v->ledger.buffersize(r.id)))
    return;
  v->pulls.join(r);
  v->workers.something_to_do.store(true, std::memory_order_relaxed);
}

bool somebody_looks(const mailbox_parts& p, const run& r) {
  if (r.pace.size == grain::fine) return false;
  if (r.out.sink.looking() && r.seen.something_for_sink.load(std::memory_order_relaxed))
    return true;
  return r.in.source.looking() && p.ledger.counts(r.id).free >= r.pace.worth_a_call;
}

bool idle_for_good(const mailbox_parts& p) {
  if (p.ledger.queued() + p.ledger.held() + p.ledger.waiting() != 0) return false;
  return std::none_of(p.runs.begin(), p.runs.end(),
                      [](const auto& r) { return r.second->in.pulling && !r.second->in.lent; });
}

bool settled(const mailbox_parts& p) {
  return p.staff.nobody() && (p.phase.broken() || idle_for_good(p));
}

bool forsaken(const mailbox_parts& p, const run& r) {
  if (!r.out.sink.asleep() || !r.out.task_waits) return false;
  const run_counts c = p.ledger.counts(r.id);
  return c.held == 0 && (c.queued != 0 || pullable(r, c) != 0);
}

run* most_forsaken(const mailbox_parts& p) {
  run* result = nullptr;
  for (const auto& [id, r] : p.runs)
    if (forsaken(p, *r) && (result == nullptr || r->out.rescued_at < result->out.rescued_at))
      result = r.get();
  return result;
}

ledger::duration time_to_do(const mailbox_parts& p) {
  ledger::duration result = p.ledger.queued_time();
  for (const run* r : p.pulls) {
    if (result >= tuning::wake_up) break;
    if (r->pace.cost.count() == 0) return ledger::duration::max();
    const std::uint64_t free = r->seen.free_tokens.load(std::memory_order_relaxed);
    result += std::min<ledger::duration>(r->pace.cost, tuning::wake_up)
              * static_cast<std::int64_t>(std::min(free, tuning::most_of_interest));
  }
  return result;
}

}  // namespace fmap::kernel
