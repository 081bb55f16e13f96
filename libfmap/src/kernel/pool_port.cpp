// SPDX-License-Identifier: BSD-3-Clause
// What a pool may do at its shared mailbox: runs, tasks, its end.

#include "src/kernel/pool_port.hpp"

#include <algorithm>
#include <utility>

#include <fmap/detail/task_job.hpp>

#include "src/kernel/failing.hpp"
#include "src/kernel/filling.hpp"
#include "src/kernel/scenes.hpp"
#include "src/kernel/settling.hpp"
#include "src/kernel/working_in.hpp"

namespace fmap::kernel {

namespace {

using detail::slot_state;

/// The run of the tasks: it has no source and no sink, and no bound.
run& tasks_of(visit& v) {
  if (!v->tasks) {
    // One by one: they start in the order of their submission.
    const run_limits limits{.buffersize = unbounded, .chunksize = 1};
    const run_id id = v->ledger.open(limits);
    if (!v->task_job) v->task_job = std::make_shared<detail::task_job>();
    v->runs[id] = v->tasks = std::make_shared<run>(id, limits, v->task_job, nullptr);
  }
  return *v->tasks;
}

/// For batches that are one call. A bound that the user left open begins with all that it may be: what a call costs
/// says nothing of what an item costs.
run_limits for_whole_batches(run_limits l, std::uint32_t workers) {
  l.whole = true;
  l.threads = workers;
  l.buffersize = std::max(l.buffersize, l.widest);
  return l;
}

}  // namespace

run_ptr pool_port::open(const run_limits& wanted, std::shared_ptr<job> work,
                        std::unique_ptr<input> from, doorbell_ptr sink) {
  visit v{box_};
  v->phase.check_open();
  const run_limits limits = work->whole ? for_whole_batches(wanted, v->staff.capacity()) : wanted;
  run_limits expecting = limits;
  const auto expected = v->costs.expected(cost_book::kind_of(*work));
  if (expected.count() != 0) expecting.expected_cost = expected;
  const run_id id = v->ledger.open(expecting);
  auto r = std::make_shared<run>(id, limits, std::move(work), std::move(from));
  r->out.sink.bell = std::move(sink);
  r->seen.free_tokens = limits.buffersize;
  recompute_tempo(v, *r);
  return v->runs[id] = std::move(r);
}

void pool_port::push(detail::task_ptr t) {
  visit v{box_};
  v->phase.check_open();
  run& r = tasks_of(v);
  fillable(v, r);
  const std::uint32_t next = r.in.filled;
  chunk& c = *r.chunks.filling();
  ::new (c.at(next)) detail::task_ptr{std::move(t)};
  c.state(next).store(slot_state::item, std::memory_order_release);
  publish(v, r, next + 1);
}

void pool_port::set_task_job(std::shared_ptr<job> tasks) {
  visit v{box_};
  v->task_job = std::move(tasks);
}

void pool_port::resize(std::uint32_t workers) {
  visit v{box_};
  v->phase.check_open();
  v->adapts.resize(workers);
  resize_staff(v, workers);
}

void pool_port::set_limits(const adaptive_limits& limits) {
  visit v{box_};
  v->adapts.allow(limits);
}

void pool_port::shut_down() {
  visit v{box_};
  if (!v->phase.close()) return;
  for (auto& [id, r] : v->runs) cut(v, *r);
  v.call_all();
}

void pool_port::cancel_tasks() {
  visit v{box_};
  if (v->tasks) fail_queued(v, v->tasks->id, nullptr);
}

void pool_port::break_up(std::exception_ptr cause) {
  visit v{box_};
  v->phase.break_up(std::move(cause));
  for (auto& [id, r] : v->runs) {
    cut(v, *r);
    split_batches(v, *r);
    v.call_sink(*r, urgency::at_once);
  }
  v.ring_remote_workers();  // nobody waits for what is being executed elsewhere
  resume_due(v, clock::time_point::max());
  v.call_all();
  fail_if_broken(v);
}

void pool_port::wait_until_left() {
  auto waiter = std::make_shared<parker>();
  visit v{box_};
  v->left.push_back(waiter);
  while (!settled(*v)) {
    v.outside([&] {
      const seeing_out here;
      waiter->wait_alone();
    });
  }
  std::erase(v->left, waiter);
}

bool pool_port::closing() {
  const visit v{box_};
  return v->phase.closing();
}

std::uint32_t pool_port::capacity() {
  const visit v{box_};
  return v->staff.capacity();
}

std::exception_ptr pool_port::broken() {
  const visit v{box_};
  return v->phase.broken();
}

reasons pool_port::counted() {
  const visit v{box_};
  return v->counted;
}

}  // namespace fmap::kernel
