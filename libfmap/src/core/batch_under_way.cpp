// SPDX-License-Identifier: BSD-3-Clause
// The outcomes of a call with a whole batch.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <fmap/detail/batch_job.hpp>
#include <fmap/errors.hpp>

namespace fmap::detail {

namespace {

using clock = std::chrono::steady_clock;

/// Outcomes are ready with the first delivery, after this many, or at the next one after this time: a visit to the
/// mailbox costs about a microsecond, and looks at all items of the batch.
constexpr std::uint32_t many = 64;
constexpr std::chrono::nanoseconds long_enough{50'000}, for_each_item{100};

/// Where there is no memory for it, that is the error.
std::exception_ptr no_outcome() noexcept try {
  return std::make_exception_ptr(
      not_delivered{"fmap: the function over batches returned without an outcome for this item"});
} catch (...) {
  return std::current_exception();
}

}  // namespace

batch_under_way::batch_under_way(job& work, chunk& in, progress& at)
    : work_{work}, in_{in}, at_{at} {}

batch_under_way::~batch_under_way() = default;

void batch_under_way::reserve(std::size_t items) {
  slots_.reserve(items);
  has_outcome_.reserve(items);
  if (work_.retries) again_.reserve(items);
}

void batch_under_way::add(std::uint32_t slot) {
  slots_.push_back(slot);
  has_outcome_.push_back(false);
  last_ = slot;
}

std::uint32_t batch_under_way::take(std::size_t position) {
  if (position >= slots_.size())
    throw std::out_of_range{"fmap: deliver: there is no position " + std::to_string(position)
                            + " in a batch of " + std::to_string(slots_.size())};
  if (has_outcome_[position])
    throw std::logic_error{"fmap: deliver: the item at position " + std::to_string(position)
                           + " has an outcome already"};
  has_outcome_[position] = true;
  return slots_[position];
}

void* batch_under_way::open(std::size_t position) {
  const std::uint32_t slot = take(position);
  discard(slot);
  return in_.value(slot);
}

void batch_under_way::close(std::size_t position) {
  const std::uint32_t slot = slots_[position];
  if (slot == last_)
    last_state_ = slot_state::value;
  else
    in_.state(slot).store(slot_state::value, std::memory_order_release);
  settle_in_time();
}

void batch_under_way::fail_opened(std::size_t position, const std::exception_ptr& error) {
  fail_slot(slots_[position], error);
  settle_in_time();
}

void batch_under_way::fail(std::size_t position, const std::exception_ptr& error) {
  if (!error) throw std::invalid_argument{"fmap: deliver.fail: there is no exception"};
  const std::uint32_t slot = take(position);
  if (work_.retries && work_.retries->again(in_.first + slot, error)) {
    again_.push_back(slot);
    return;
  }
  discard(slot);
  fail_slot(slot, error);
  settle_in_time();
}

void batch_under_way::fail_slot(std::uint32_t slot, const std::exception_ptr& error) {
  if (!slots_.empty() && slot == last_)
    last_error_ = error;
  else
    work_.fail(in_, slot, error);
}

void batch_under_way::settle_in_time() {
  ++unsettled_;
  const auto items = slots_.size();
  if (at_.early == nullptr || !at_.is_mine() || items == 1) return;
  const auto now = clock::now();
  if (unsettled_ < std::max<std::size_t>(many, items / 16)
      && now - settled_at_
             < std::max(long_enough, for_each_item * static_cast<std::int64_t>(items)))
    return;
  // The time before: if this takes long, what is delivered next is not to wait for more than it has to.
  settled_at_ = now;
  unsettled_ = 0;
  at_.early->settle();
}

void batch_under_way::end(const std::exception_ptr& thrown) {
  at_.early = nullptr;  // what is left is settled by whoever called
  std::exception_ptr error = thrown;
  for (std::size_t i = 0; i != slots_.size(); ++i) {
    if (has_outcome_[i]) continue;
    if (!error) error = no_outcome();
    fail(i, error);
  }
  for (const std::uint32_t slot : again_)
    in_.state(slot).store(slot_state::item, std::memory_order_release);
  if (last_error_)
    work_.fail(in_, last_, last_error_);
  else if (last_state_)
    in_.state(last_).store(*last_state_, std::memory_order_release);
}

}  // namespace fmap::detail
