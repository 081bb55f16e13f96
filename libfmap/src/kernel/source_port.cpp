// SPDX-License-Identifier: BSD-3-Clause
// What a source may do at the shared mailbox, and whoever brings items instead of one.

#include "src/kernel/source_port.hpp"

#include <cassert>
#include <utility>

#include "src/kernel/failing.hpp"
#include "src/kernel/filling.hpp"
#include "src/kernel/scenes.hpp"

namespace fmap::kernel {

namespace {

/// Looks for tokens for a while, if that is worth while. False: there are none.
bool look_again(run& r, visit& v) {
  const patience how = lingers(role::source, r.pace.size, false);
  if (how == patience::none) return false;
  const std::uint64_t enough = r.pace.size == grain::fine
                                   ? enough_tokens(r.pace.size, v->ledger.buffersize(r.id))
                                   : r.pace.worth_a_call;
  const auto there = [&] {
    return r.seen.free_tokens.load(std::memory_order_relaxed) >= enough || r.seen.stopped;
  };
  r.in.source.where = presence::looking;
  v.outside(
      [&] { how == patience::forgets ? r.in.spin.wait(there) : r.in.spin.wait_briefly(there); });
  r.in.source.where = presence::at_work;
  return v->ledger.counts(r.id).free != 0;
}

}  // namespace

void source_port::attach(run& r, doorbell_ptr source) {
  visit v{box_};
  v.ring(source);
  v.hasten_tick();
  if (r.flowing() || r.now == phase::ended) r.in.source.bell = std::move(source);
}

void source_port::pull_by_workers(run& r) {
  visit v{box_};
  if (r.stopped() || r.now == phase::cut) return;
  r.in.at_hand = true;
  r.in.copies_bytes = r.in.from->instant();
  r.seen.flush_every = any_number;
  line_up(v, r);
  v.call_worker();
}

void source_port::detach(run& r, std::exception_ptr why) {
  visit v{box_};
  if (!r.flowing()) return;
  r.end_input(std::move(why));
  close_intake(v, r);
}

pulled source_port::pull(run& r, once how) {
  visit v{box_};
  r.in.source.where = presence::at_work;
  while (r.flowing()) {
    if (fillable(v, r) != r.in.filled) {
      fetch(v, r);
      fail_if_broken(v);
      if (how == once::yes && r.now != phase::ended) return pulled::something;
      continue;
    }
    v.call_sink(r);
    if (look_again(r, v)) continue;
    assert(!r.flowing() || v->ledger.counts(r.id).free == 0);  // V3
    r.in.source.where = presence::asleep;
    return pulled::out_of_tokens;
  }
  close_intake(v, r);
  return pulled::over;
}

lent_slots source_port::lend(run& r) {
  visit v{box_};
  if (!r.flowing()) return {};
  const std::uint32_t end = fillable(v, r);
  if (end == r.in.filled) return {};
  r.in.pulling = r.in.lent = true;
  return {r.chunks.filling(), r.in.filled, end};
}

void source_port::give_back(run& r, const lent_slots& slots) {
  visit v{box_};
  r.in.pulling = r.in.lent = false;
  if (v->phase.closing() && settled(*v) && slots.next > r.in.filled) {
    // They were brought while the pool was being shut down, and no worker is left.
    const std::uint32_t brought = slots.next - std::exchange(r.in.filled, slots.next);
    v->ledger.pulled(r.id, r.chunks.filling()->id, brought);
    fail_queued(v, r.id,
                std::make_exception_ptr(
                    pool_shutdown{"fmap: the pool was shut down before this item was begun"}));
  }
  publish(v, r, slots.next);
  if (!r.flowing()) close_intake(v, r);
  fail_if_broken(v);
}

}  // namespace fmap::kernel
