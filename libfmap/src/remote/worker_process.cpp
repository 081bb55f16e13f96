// SPDX-License-Identifier: BSD-3-Clause
// The inside of a worker process: frames from the pool become runs on threads of its own.

#include "src/remote/worker_process.hpp"

#include <utility>

#include <fmap/detail/registry.hpp>
#include <fmap/detail/travelling_task.hpp>

#include "src/kernel/guest_port.hpp"
#include "src/kernel/pool_port.hpp"
#include "src/kernel/sink_port.hpp"

namespace fmap::remote {

namespace {

using detail::made_job;
using detail::slot_state;

/// Outcomes are sent when there is nothing else to do, or when they took so much of the workers' time.
constexpr std::chrono::microseconds worth_sending{50};

made_job make_job(const std::string& function, wire::reader& state) {
  if (function == detail::remote_task_job::name) return detail::make_call_job(state);
  const auto make = detail::registry<detail::job_factory>::find(function);
  if (make == nullptr) throw error{"fmap: a worker process does not know the function " + function};
  return make(state);
}

}  // namespace

worker_process::worker_process(int socket, int recorder_fd, make_threads make)
    : make_threads_{std::move(make)}, up_{socket}, recorder_{recorder_fd} {
  recorder_.keep_from_forks();
}

worker_process::~worker_process() {
  for (auto& [id, s] : runs_) {
    s.sender->stop();
    if (s.here) kernel::sink_port{*core_->box}.close(*s.here);
  }
}

bool worker_process::receive(frames::kind kind, wire::reader& r) {
  if (kind == frames::kind::setup) return setup(r);
  if (!core_) return false;
  switch (kind) {
    case frames::kind::open: return open(r);
    case frames::kind::batch: return batch(r);
    case frames::kind::recall: return recall(r);
    case frames::kind::close: return close(r);
    default: return false;
  }
}

bool worker_process::open(wire::reader& r) {
  frames::open frame;
  if (!frames::read(r, frame) || runs_.contains(frame.run)) return false;
  open_run& s = runs_[frame.run];
  s.sender = std::make_shared<outcome_sender>(up_, recorder_, core_->box, frame.run);
  try {
    wire::reader state{frame.state};
    s.job = make_job(frame.function, state);
    s.here = kernel::pool_port{*core_->box}.open({.buffersize = kernel::unbounded,
                                                  .chunksize = frame.chunksize,
                                                  .tell_after = worth_sending},
                                                 s.job.work, nullptr, s.sender);
    s.sender->serve(s.here, *s.job.remote);
  } catch (...) {
    s.unusable = std::current_exception();
  }
  return true;
}

bool worker_process::batch(wire::reader& r) {
  frames::batch frame;
  if (!frames::read(r, frame)) return false;
  item_span items{frame.first, frame.place, frame.sizes, r.rest()};
  open_run* const s = find(frame.run);
  if (s == nullptr || items.count() == 0 || !items.fits()) return false;
  if (!recorder_.claim(items.place, items.count())) return false;
  while (items.count() != 0) {
    std::exception_ptr error = s->unusable;
    std::uint32_t n = error ? 0 : queue_readable(*s, items, error);
    if (n == 0) {
      s->sender->refuse(items.index, items.place, std::move(error));
      n = 1;
    }
    items.remove_first(n);
  }
  return true;
}

/// Queues all items up to the first that cannot be read, and returns how many these are. If there are none, tells why.
std::uint32_t worker_process::queue_readable(open_run& s, item_span items,
                                             std::exception_ptr& error) {
  for (;;) {
    const std::uint32_t n = load(s, items, error);
    if (n == items.count() || n == 0) return n;
    items = items.first(n);
  }
}

/// Queues a chunk of these items. If one cannot be read, returns how many there are before it, and queues none; if
/// that is the first, tells why.
std::uint32_t worker_process::load(open_run& s, const item_span& part, std::exception_ptr& error) {
  const std::uint32_t count = part.count();
  std::string_view bytes = part.bytes;
  std::uint32_t n = 0;
  std::unique_ptr<chunk> items;
  try {
    items = std::make_unique<chunk>(0, count, s.job.work->layout, recorder_.at(part.place));
    items->origin = part.index;
    for (; n != count; ++n) {
      wire::reader content{bytes.substr(0, part.sizes[n])};
      bytes.remove_prefix(part.sizes[n]);
      // Decoding is the user's code, too.
      items->state(n).store(slot_state::arriving, std::memory_order_relaxed);
      s.job.remote->load_item(content, *items, n);
    }
  } catch (...) {
    if (n == 0) error = std::current_exception();
  }
  if (n == count) {
    kernel::guest_port{*core_->box}.push(*s.here, std::move(items), count);
    return count;
  }
  // What had been read will be read again.
  for (std::uint32_t i = count; i-- != 0;) {
    if (i < n) s.job.work->clear(*items, i, i + 1);
    recorder_.at(part.place + i)->store(slot_state::item, std::memory_order_release);
  }
  return n;
}

void worker_process::blame(std::string_view unfinished_batch) {
  frames::batch head;
  wire::reader r{unfinished_batch};
  r(head.run, head.first, head.place);
  if (r.ok() && head.place < flight_recorder::size)
    recorder_.at(head.place)->store(slot_state::running);
}

bool worker_process::recall(wire::reader& r) {
  frames::recall frame;
  if (!frames::read(r, frame)) return false;
  open_run* const s = find(frame.run);
  if (s == nullptr) return false;
  if (!s->here) return true;
  kernel::guest_port port{*core_->box};
  for (const outcome_span& span : port.withdraw(*s->here)) {
    const std::uint32_t begin = span.end - span.count;
    const std::uint64_t first = span.in->origin + begin;
    for (std::uint32_t i = begin; i != span.end; ++i) {
      s->job.work->clear(*span.in, i, i + 1);
      span.in->state(i).store(slot_state::returned, std::memory_order_release);
    }
    recorder_.unclaim(span.in->state(begin), span.count);
    port.release(*s->here, span);
    up_.send(frames::returned{frame.run, first, span.count});
  }
  return true;
}

bool worker_process::close(wire::reader& r) {
  frames::close frame;
  if (!frames::read(r, frame)) return false;
  open_run* const s = find(frame.run);
  if (s == nullptr) return false;
  s->sender->stop();
  if (s->here) kernel::sink_port{*core_->box}.close(*s->here);
  runs_.erase(frame.run);
  return true;
}

worker_process::open_run* worker_process::find(run_id there) {
  const auto it = runs_.find(there);
  return it != runs_.end() ? &it->second : nullptr;
}

}  // namespace fmap::remote
