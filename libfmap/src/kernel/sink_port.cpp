// SPDX-License-Identifier: BSD-3-Clause
// What a consumer may do at the shared mailbox: outcomes, tokens back, the end of a run.

#include "src/kernel/sink_port.hpp"

#include <cassert>
#include <utility>

#include "src/kernel/filling.hpp"
#include "src/kernel/scenes.hpp"
#include "src/kernel/settling.hpp"
#include "src/kernel/withheld.hpp"
#include "src/kernel/working_in.hpp"

namespace fmap::kernel {

next_result sink_port::next(run& r, outcome_span& s, presence waiting) {
  visit v{box_};
  if (s.in != nullptr) r.release(*s.in, s.count);
  s = {};
  outlet& out = r.out;
  out.sink.where = presence::at_work;
  if (r.stopped()) return next_result::end;
  count_taken(v, r);
  const span n = v->ledger.next_ready(r.id);
  v.show_sink(r);
  v.call_source(r, !n && stalled(*v, r) ? urgency::at_once : urgency::usual);
  if (n) {
    s.in = &r.chunks.at(n.chunk);
    s.count = n.count;
    s.end = s.in->offset(n.first) + n.count;
    s.buffersize = v->ledger.buffersize(r.id);
    return next_result::outcomes;
  }
  if (exhausted(*v, r)) return next_result::end;
  assert(!v->ledger.has_ready(r.id));  // V3
  out.task_waits = working_for == &box_;
  if (out.task_waits) out.waits_since = v.now();
  out.ticks = r.in.at_hand && v->tick.rare();
  out.sink.where = waiting;
  return next_result::wait;
}

void sink_port::distrust(run& r) {
  visit v{box_};
  distrust_estimate(v, r);
}

void sink_port::give_tokens_back(run& r) {
  visit v{box_};
  if (r.stopped()) return;
  count_taken(v, r);
  v.call_source(r);
}

bool sink_port::resize(run& r, std::uint64_t buffersize) {
  visit v{box_};
  const auto it = v->runs.find(r.id);
  return it != v->runs.end() && resize_bound(v, *it->second, buffersize);
}

void sink_port::tick_now() {
  visit v{box_};
  v.hasten_tick();
  v->tick.passed(v.now());
  release_withheld(v, v.now());
}

void sink_port::throw_if_cut(const run& r) {
  visit v{box_};
  if (r.now != phase::cut) return;
  if (v->phase.broken()) throw broken_pool{v->phase.broken()};
  throw pool_shutdown{"fmap: the pool was shut down before the map's input was at its end"};
}

void sink_port::stop(run& r) {
  visit v{box_};
  halt(v, r);
}

void sink_port::close(run& r) {
  auto waiter = std::make_shared<parker>();
  run_ptr self;
  {
    visit v{box_};
    halt(v, r);
    r.out.drained = waiter;
    while (r.in.pulling || !v->ledger.drained(r.id)) {
      v.outside([&] {
        const seeing_out here;
        waiter->wait_alone();
      });
    }
    if (v->ledger.measured(r.id)) v->costs.remember(cost_book::kind_of(*r.work), r.pace.cost);
    v->ledger.close(r.id);
    const auto it = v->runs.find(r.id);
    self = std::move(it->second);
    v->runs.erase(it);
    r.in.source.bell.reset();
    r.out.sink.bell.reset();
    r.out.drained.reset();
  }
  r.in.from.reset();
  r.chunks.clear(*r.work);
  r.work.reset();
}

namespace {

/// Closes a run that has drained.
class closer final : public doorbell {
public:
  closer(std::shared_ptr<shared_mailbox> box, run_ptr r, doorbell_ptr closed)
      : box_{std::move(box)}, run_{std::move(r)}, closed_{std::move(closed)} {}
  void ring() noexcept override {
    if (done_.exchange(true)) return;
    sink_port{*box_}.close(*run_);
    if (closed_) closed_->ring();
  }

private:
  const std::shared_ptr<shared_mailbox> box_;
  const run_ptr run_;
  const doorbell_ptr closed_;
  std::atomic<bool> done_{false};
};

}  // namespace

void sink_port::abandon(const std::shared_ptr<shared_mailbox>& box, const run_ptr& r,
                        doorbell_ptr closed) {
  visit v{*box};
  halt(v, *r);
  r->out.sink.bell.reset();
  r->out.drained = std::make_shared<closer>(box, r, std::move(closed));
  v.touch(*r);
}

run_stats sink_port::stats(const run& r) {
  visit v{box_};
  const auto it = v->runs.find(r.id);
  if (it == v->runs.end()) return {};
  if (r.in.pulling) publish_progress(v, *it->second);
  run_stats result;
  result.counts = v->ledger.counts(r.id);
  result.buffersize = v->ledger.buffersize(r.id);
  result.taken = r.stopped() ? result.counts.taken : r.seen.taken.load(std::memory_order_relaxed);
  result.ready = result.counts.ready - (result.taken - result.counts.taken);
  result.failed = r.work->failures.load(std::memory_order_relaxed);
  result.elapsed = v.now() - r.opened;
  result.workers = r.work->asynchronous ? 0 : v->staff.capacity();
  return result;
}

std::uint32_t sink_port::attempts(const run& r, std::uint64_t index) {
  const visit v{box_};
  return v->ledger.attempts(r.id, index);
}

}  // namespace fmap::kernel
