// SPDX-License-Identifier: BSD-3-Clause
// The way back from a worker process.

#include "actors/node/outcome_sender.hpp"

#include <limits>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmap/detail/exception_codec.hpp>
#include <fmap/detail/function_job.hpp>

#include "src/kernel/guest_port.hpp"
#include "src/kernel/sink_port.hpp"

namespace fmap::actors {

namespace {

using detail::slot_state;

constexpr std::size_t frame_size = 1u << 20;

int copy_of(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw std::system_error{errno, std::generic_category(), "fmap: no descriptor"};
  return copy;
}

}  // namespace

std::string encode_here(const std::exception_ptr& error) {
  // Never destroyed: other threads still send when one ends the process.
  static const auto& host = *new std::string{[] {
    char buffer[256] = "localhost";
    ::gethostname(buffer, sizeof buffer - 1);
    return std::string{buffer};
  }()};
  return detail::encode_exception(error, host, ::getpid());
}

way_back::way_back(int fd) : line_{copy_of(fd), peer::pool} {}

void way_back::post(frame kind, std::string_view head, std::string_view body) {
  // The child of an item that forked, and that came back here, is nobody's worker.
  if (::getpid() != process_) ::_exit(0);
  std::lock_guard guard{mutex_};
  if (!line_.send(kind, head, body)) ::_exit(0);
}

void way_back::flush() {
  std::lock_guard guard{mutex_};
  if (!line_.flush(true)) ::_exit(0);
}

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
  sink_port port{*box_};
  while (run_ && port.next(*run_, s) == next_result::outcomes) send(s);
  back_.flush();
}

void outcome_sender::send(const outcome_span& s) {
  const auto each = guest_port{*box_}.cost(*run_);
  const std::uint32_t begin = s.end - s.count;
  std::uint32_t from = begin;
  for (std::uint32_t i = begin; i != s.end; ++i) {
    append(*s.in, i);
    if (bytes_.size() < frame_size && i + 1 != s.end) continue;
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
  std::string head;
  wire::writer w{head};
  w.apply(there_);
  w.apply(first);
  w.apply(static_cast<std::uint64_t>(each.count()));
  w.apply(sizes_);
  back_.post(frame::outcomes, head, bytes_);
  bytes_.clear();
  if (bytes_.capacity() > 4 * frame_size) bytes_.shrink_to_fit();
  sizes_.clear();
}

void outcome_sender::refuse(std::uint64_t index, std::uint32_t place, std::exception_ptr error) {
  std::lock_guard guard{mutex_};
  recorder::state& state = *flight_.at(place);
  detail::mark_running(state);
  encode_error(error);
  error = nullptr;
  state.store(slot_state::empty, std::memory_order_release);
  flight_.unclaim(state, 1);
  sizes_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  post(index, {});
  back_.flush();
}

}  // namespace fmap::actors
