// SPDX-License-Identifier: BSD-3-Clause
// What somebody may do at the shared mailbox whose batches are executed elsewhere.

#include "src/kernel/remote_port.hpp"

#include <algorithm>
#include <utility>

#include "src/kernel/failing.hpp"
#include "src/kernel/scenes.hpp"
#include "src/kernel/settling.hpp"
#include "src/kernel/worker_port.hpp"

namespace fmap::kernel {

namespace {

/// Where there is no memory to say why, that is the error.
std::exception_ptr error_of(
    const casualty& c, const std::function<std::exception_ptr(const casualty&)>& why) noexcept {
  try {
    return why(c);
  } catch (...) {
    return std::current_exception();
  }
}

/// An item that ends with an error; the heir holds it, so that its run is not closed.
void end_item(visit& v, const casualty& dead, worker_id heir,
              const std::function<std::exception_ptr(const casualty&)>& why) {
  run& r = *v->runs.at(dead.item.run);
  chunk& c = r.chunks.at(dead.item.chunk);
  v.outside([&] { r.work->fail(c, c.offset(dead.item.first), error_of(dead, why)); });
  report_finished(v, r, heir, dead.item.first, 1, {});
}

/// It takes no more, and another worker may be started in its place.
void take_no_more(visit& v, worker& w) {
  v->workers.rests(w);
  if (!w.supervised) return;
  v.retire(w);
  v.call_worker(urgency::at_once);
}

/// Fewer workers are to be there, and it is one of those that leave: one that holds something does so only where all
/// others do, too.
bool is_to_leave(const mailbox_parts& p, const worker& w) {
  if (!w.supervised || !p.staff.must_shrink()) return false;
  if (!holds_something(p, w)) return true;
  return std::none_of(p.workers.all().begin(), p.workers.all().end(), [&](const worker* other) {
    return other->supervised && !holds_something(p, *other);
  });
}

}  // namespace

void remote_port::join_remote(worker& w, doorbell_ptr bell, std::uint32_t weight,
                              std::uint32_t capacity) {
  visit v{box_};
  const worker_id id =
      v->ledger.add_worker(capacity, weight, tuning::batch_remote, tuning::depth_remote);
  v->workers.join(w, id, std::move(bell));
  w.remote = true;
}

worker_id remote_port::join_node(worker& w, doorbell_ptr bell, const worker_shape& shape) {
  visit v{box_};
  v->workers.join(w, v->ledger.add_worker(shape), std::move(bell));
  w.remote = true;
  return v->ledger.add_worker({.capacity = any_number, .weight = 0});
}

void remote_port::set_hold(const worker& w, clock::duration hold) {
  visit v{box_};
  v->ledger.set_hold(w.id, hold);
}

parcel remote_port::take(worker& w, std::uint32_t most, worker_id hand) {
  visit v{box_};
  v->workers.rests(w);
  if (v->phase.broken()) return {};
  if (is_to_leave(*v, w)) {
    take_no_more(v, w);
    return {};
  }
  if (most == 0) return {};
  w.where = presence::at_work;
  span s = v->ledger.take(w.id, 0, w.hurry);
  if (!s) {
    w.hurry = false;
    if (v->ledger.full(w.id)) {
      v.call_worker();  // it may have been rung for what somebody else can take
    } else {
      v->workers.sleeps(w);
      if (v->ledger.queued() != 0) v.want_tick();
    }
    return {};
  }
  if (s.count > most) {
    v->ledger.give_back(w.id, s.run, s.first + most, s.count - most);
    s.count = most;
  }
  if (hand != 0) v->ledger.pass_on(w.id, hand, s.run, s.first, s.count);
  v.call_worker();
  const run_ptr& r = v->runs.at(s.run);
  return {r, &r->chunks.at(s.chunk), s};
}

void remote_port::finished(run& r, worker_id id, std::uint64_t first, std::uint32_t count,
                           clock::duration took) {
  visit v{box_};
  report_finished(v, r, id, first, count, took);
}

void remote_port::not_begun(run& r, worker_id id, std::uint64_t first, std::uint32_t count) {
  visit v{box_};
  v->ledger.give_back(id, r.id, first, count);
  v.call_worker(urgency::at_once);
  v.touch(r);
}

bool remote_port::pass_on(run& r, worker_id from, worker_id to, std::uint64_t first,
                          std::uint32_t count) {
  visit v{box_};
  if (v->ledger.pass_on(from, to, r.id, first, count) != 0) return true;
  v.touch(r);
  return false;
}

void remote_port::died(const worker& w, run& r, std::uint64_t index, mark seen,
                       const std::function<std::exception_ptr(const casualty&)>& why) {
  visit v{box_};
  {
    const temporary_worker heir{v, any_number};
    const auto ends = v->ledger.died(w.id, r.id, index, seen, heir.id);
    v.call_worker(urgency::at_once);
    if (ends)
      end_item(v, *ends, heir.id, why);
    else
      v.touch(r);
  }
  fail_if_broken(v);
}

void remote_port::confirmed(const worker& w, run_id run) {
  visit v{box_};
  v->ledger.confirmed(w.id, run);
}

void remote_port::lost(worker& w, const std::function<mark(run_id, std::uint64_t)>& what,
                       const std::function<std::exception_ptr(const casualty&)>& why,
                       worker_id hand) {
  {
    visit v{box_};
    {
      v->workers.rests(w);
      if (hand != 0) v->ledger.remove_worker(hand);
      const temporary_worker heir{v, any_number};
      const auto casualties = v->ledger.remove_worker(w.id, what, heir.id);
      v.call_worker();  // what has been queued again does not wait for the user's code below
      for (const casualty& dead : casualties) end_item(v, dead, heir.id, why);
    }
    fail_if_broken(v);
  }
  worker_port{box_}.leave(w);
}

void remote_port::retire(worker& w) {
  visit v{box_};
  take_no_more(v, w);
}

void remote_port::rest(worker& w) {
  visit v{box_};
  v->workers.rests(w);
  w.has.of = nullptr;
  if (w.remote) v.call_worker(urgency::at_once);  // it may have been rung for somebody's work
}

bool remote_port::may_leave() {
  const visit v{box_};
  return v->phase.broken() || (v->phase.closing() && idle_for_good(*v));
}

}  // namespace fmap::kernel
