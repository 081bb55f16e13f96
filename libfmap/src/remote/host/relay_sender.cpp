// SPDX-License-Identifier: BSD-3-Clause
// Outcomes of one run, from a node to its pool.

#include "src/remote/host/relay_sender.hpp"

#include <utility>

#include <fmap/errors.hpp>

#include "src/kernel/guest_port.hpp"
#include "src/kernel/sink_port.hpp"

namespace fmap::remote {

void relay_sender::serve(run_ptr r) {
  {
    std::lock_guard guard{mutex_};
    run_ = std::move(r);
  }
  ring();
}

void relay_sender::stop() {
  std::lock_guard guard{mutex_};
  run_.reset();
}

void relay_sender::ring() noexcept {
  std::lock_guard guard{mutex_};
  outcome_span s;
  kernel::sink_port port{*box_};
  while (run_ && port.next(*run_, s) == kernel::next_result::outcomes) send(s);
  back_.flush();
}

void relay_sender::send(const outcome_span& s) {
  const auto each = kernel::guest_port{*box_}.cost(*run_);
  const std::uint32_t begin = s.end - s.count;
  std::uint32_t from = begin;
  for (std::uint32_t i = begin; i != s.end; ++i) {
    if (!append(*static_cast<const std::string*>(s.in->value(i)))) return broken_();
    run_->work->clear(*s.in, i, i + 1);
    if (bytes_.size() < frames::full_size && i + 1 != s.end) continue;
    post(s.in->origin + from, each);
    from = i + 1;
  }
  run_->seen.taken += s.count;
}

/// False: it is none, as the pool here is broken.
bool relay_sender::append(const std::string& outcome) {
  const std::size_t before = bytes_.size();
  if (outcome.size() <= largest_) {
    bytes_ += outcome;
  } else {
    wire::writer{bytes_}.apply(true);
    bytes_ += encode_here(std::make_exception_ptr(
        error{"fmap: a result has " + std::to_string(outcome.size())
              + " bytes, more than max_item_bytes, which is " + std::to_string(largest_)}));
  }
  sizes_.push_back(static_cast<std::uint32_t>(bytes_.size() - before));
  return !outcome.empty();
}

void relay_sender::post(std::uint64_t first, std::chrono::nanoseconds each) {
  frames::outcomes frame{there_, first, static_cast<std::uint64_t>(each.count()), {}};
  frame.sizes.swap(sizes_);
  back_.post(frame, bytes_);
  frame.sizes.swap(sizes_);
  bytes_.clear();
  if (bytes_.capacity() > 4 * frames::full_size) bytes_.shrink_to_fit();
  sizes_.clear();
}

}  // namespace fmap::remote
