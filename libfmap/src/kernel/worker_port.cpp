// SPDX-License-Identifier: BSD-3-Clause
// What a worker may do at the shared mailbox: take, run, settle; and wait.

#include "src/kernel/worker_port.hpp"

#include <string>
#include <utility>

#include "src/kernel/failing.hpp"
#include "src/kernel/scenes.hpp"
#include "src/kernel/working.hpp"

namespace fmap::kernel {

namespace {

/// False: the worker is to leave.
bool stays(worker& w, visit& v) {
  if (v->phase.broken()) {
    // What was taken from this worker's batch meanwhile has nobody else to end it.
    fail_if_broken(v);
    return false;
  }
  if (v->phase.closing() && idle_for_good(*v)) {
    v.call_all();
    return false;
  }
  if (w.reserve) return v->staff.any_blocked() || v->workers.sleeping_reserve() == nullptr;
  if (!v->staff.surplus()) return true;
  v.retire(w);
  return false;
}

/// A worker is not going to look after the runs any more.
void call_parties(visit& v) {
  for (auto& [id, r] : v->runs) {
    v.call_source(*r);
    v.call_sink(*r);
  }
}

}  // namespace

void worker_port::join(worker& w, doorbell_ptr bell) {
  visit v{box_};
  v->workers.join(w, v->ledger.add_worker(any_number), std::move(bell));
  w.since = v.now();
  v->staff.pause.succeeded();
  w.reserve = w.supervised && v->staff.joined();
}

bool worker_port::work(worker& w) {
  visit v{box_};
  if (w.retired) return false;
  v->workers.comes(w, v.now());
  if (w.reserve)
    work_as_reserve(w, v);
  else
    work_all(w, v);
  if (!stays(w, v)) return false;
  v->workers.sleeps(w);
  call_parties(v);
  return true;
}

void worker_port::leave(worker& w) {
  visit v{box_};
  v->ledger.remove_worker(w.id, [](run_id, std::uint64_t) { return mark::waiting; });
  v->workers.leave(w);
  v->staff.left(w.supervised, w.retired, w.reserve);
  v.touch_all();  // what it held of a stopped run is dropped
  if (v->phase.closing() && (v->phase.broken() || idle_for_good(*v))) {
    v.call_all();  // it may have been the last at work, and others wait for that to end
  } else if (!v->phase.broken()) {
    call_parties(v);
    v.call_worker();
  }
}

void worker_port::block() {
  visit v{box_};
  if (!v->staff.block())
    throw would_deadlock{"fmap: " + std::to_string(tuning::most_blocked)
                         + " tasks of this pool wait for something already"};
  v.call_worker(urgency::at_once);
}

void worker_port::unblock() {
  visit v{box_};
  v->staff.unblock();
  v.dismiss_surplus();
}

void worker_port::step_aside() noexcept {
  visit v{box_};
  v->staff.step_aside();
  v.call_worker(urgency::at_once);
}

void worker_port::step_back() noexcept {
  visit v{box_};
  v->staff.step_back();
  v.dismiss_surplus();
}

}  // namespace fmap::kernel
