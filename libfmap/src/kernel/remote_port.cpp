// SPDX-License-Identifier: BSD-3-Clause
// What somebody may do at the shared mailbox whose batches are executed elsewhere.

#include "src/kernel/remote_port.hpp"

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

}  // namespace

void remote_port::join_remote(worker& w, doorbell_ptr bell, std::uint32_t weight,
                              std::uint32_t capacity) {
  visit v{box_};
  const worker_id id =
      v->ledger.add_worker(capacity, weight, tuning::batch_remote, tuning::depth_remote);
  v->workers.join(w, id, std::move(bell));
  w.remote = true;
}

parcel remote_port::take(worker& w, std::uint32_t most) {
  visit v{box_};
  v->workers.rests(w);
  w.where = presence::at_work;
  if (v->phase.broken() || most == 0) return {};
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

void remote_port::lost(worker& w, const std::function<mark(run_id, std::uint64_t)>& what,
                       const std::function<std::exception_ptr(const casualty&)>& why) {
  {
    visit v{box_};
    {
      v->workers.rests(w);
      const temporary_worker heir{v, any_number};
      const auto casualties = v->ledger.remove_worker(w.id, what, heir.id);
      v.call_worker();  // what has been queued again does not wait for the user's code below
      for (const casualty& dead : casualties) {
        // The run cannot be closed while the heir holds its item.
        run& r = *v->runs.at(dead.item.run);
        chunk& c = r.chunks.at(dead.item.chunk);
        v.outside([&] { r.work->fail(c, c.offset(dead.item.first), error_of(dead, why)); });
        report_finished(v, r, heir.id, dead.item.first, 1, {});
      }
    }
    fail_if_broken(v);
  }
  worker_port{box_}.leave(w);
}

void remote_port::retire(worker& w) {
  visit v{box_};
  v->workers.rests(w);
  if (!std::exchange(w.supervised, false)) return;
  v->staff.retired();
  w.retired = true;
  v.call_worker(urgency::at_once);
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
