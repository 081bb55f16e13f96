// SPDX-License-Identifier: BSD-3-Clause
// Outcomes of one run, from a worker process to its pool.

#include "src/remote/outcome_sender.hpp"

#include <limits>
#include <utility>

#include <fmap/detail/function_job.hpp>

#include "src/kernel/guest_port.hpp"
#include "src/kernel/sink_port.hpp"

namespace fmap::remote {

namespace {

using detail::slot_state;

}  // namespace

void outcome_sender::serve(run_ptr r, detail::remote_job& work) {
  {
    std::lock_guard guard{mutex_};
    run_ = std::move(r);
    work_ = &work;
  }
  ring();
}

void outcome_sender::stop() {
  std::lock_guard guard{mutex_};
  run_.reset();
}

void outcome_sender::ring() noexcept {
  std::lock_guard guard{mutex_};
  outcome_span s;
  kernel::sink_port port{*box_};
  while (run_ && port.next(*run_, s) == kernel::next_result::outcomes) send(s);
  back_.flush();
}

void outcome_sender::send(const outcome_span& s) {
  const auto each = kernel::guest_port{*box_}.cost(*run_);
  const std::uint32_t begin = s.end - s.count;
  std::uint32_t from = begin;
  for (std::uint32_t i = begin; i != s.end; ++i) {
    append(*s.in, i);
    if (bytes_.size() < frames::full_size && i + 1 != s.end) continue;
    // As soon as the pool has the outcomes it gives their places in the recorder to other items.
    flight_.unclaim(s.in->state(from), i + 1 - from);
    post(s.in->origin + from, each);
    from = i + 1;
  }
  run_->seen.taken += s.count;
}

/// Moves an outcome into the frame that is about to be sent. To encode and to destroy it is the user's code:
/// meanwhile its item counts as running.
void outcome_sender::append(chunk& c, std::uint32_t i) {
  const std::size_t before = bytes_.size();
  const slot_state held = c.state(i).load(std::memory_order_acquire);
  detail::mark_running(c.state(i));
  encode(c, i, held);
  c.state(i).store(held, std::memory_order_release);
  run_->work->clear(c, i, i + 1);
  sizes_.push_back(static_cast<std::uint32_t>(bytes_.size() - before));
}

void outcome_sender::encode(chunk& c, std::uint32_t i, slot_state held) {
  if (held == slot_state::error) return encode_error(c.error(i));
  const std::size_t before = bytes_.size();
  try {
    wire::writer w{bytes_};
    w.apply(false);
    work_->save_value(w, c, i);
    w.throw_if_failed();
    if (bytes_.size() - before > std::numeric_limits<std::uint32_t>::max())
      throw wire::error{"a result of 4 GiB or more"};
  } catch (...) {
    bytes_.resize(before);
    encode_error(std::current_exception());
  }
}

void outcome_sender::encode_error(const std::exception_ptr& error) {
  wire::writer{bytes_}.apply(true);
  bytes_ += encode_here(error);
}

void outcome_sender::post(std::uint64_t first, std::chrono::nanoseconds each) {
  frames::outcomes frame{there_, first, static_cast<std::uint64_t>(each.count()), {}};
  frame.sizes.swap(sizes_);
  back_.post(frame, bytes_);
  frame.sizes.swap(sizes_);
  bytes_.clear();
  if (bytes_.capacity() > 4 * frames::full_size) bytes_.shrink_to_fit();
  sizes_.clear();
}

void outcome_sender::refuse(std::uint64_t index, std::uint32_t place, std::exception_ptr error) {
  std::lock_guard guard{mutex_};
  flight_recorder::state& state = *flight_.at(place);
  detail::mark_running(state);
  encode_error(error);
  error = nullptr;
  state.store(slot_state::empty, std::memory_order_release);
  flight_.unclaim(state, 1);
  sizes_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  post(index, {});
  back_.flush();
}

}  // namespace fmap::remote
