// SPDX-License-Identifier: BSD-3-Clause
// Items, put together to what one command is run for.
#include "tool/input/items.hpp"

namespace fmap::tool {

namespace {

constexpr std::chrono::milliseconds end_of_burst{1};

}  // namespace

bool item_reader::take_token(bool can_do_without) {
  if (!counts_) return true;
  return can_do_without ? tokens_.try_take() : tokens_.take();
}

std::optional<item> item_reader::collect() {
  const std::size_t most = how_.size ? how_.size() : 1;
  std::vector<item> members;
  std::size_t cost = 0;
  while (members.size() < most) {
    std::optional<item> next = std::exchange(left_over_, std::nullopt);
    if (next && counts_ && !left_over_counts_ && !tokens_.take()) return std::nullopt;
    if (!next) {
      const bool can_end = !how_.waits && !members.empty();
      if (!take_token(can_end)) break;
      if (!stop_.raised() && (!can_end || from_.ready(end_of_burst))) {
        next = from_.next();
        if (!next && !stop_.raised()) ended_ = true;
      }
      if (!next) {
        if (counts_) tokens_.give_back(1);
        break;
      }
    }
    if (most == 1) {
      next->number = ++number_;
      return next;
    }
    const bool alone = !next->problem.empty();  // the others can be run
    if (how_.cost) cost += how_.cost(*next);
    if (!members.empty() && (alone || cost > how_.room)) {
      left_over_ = std::move(next);
      left_over_counts_ = counts_;
      break;
    }
    members.push_back(std::move(*next));
    if (alone) break;
  }
  if (members.empty()) return std::nullopt;
  return joined(std::move(members), ++number_);
}

std::optional<item> item_reader::read_ahead() {
  counts_ = false;
  auto next = collect();
  counts_ = true;
  return next;
}

std::optional<item> item_reader::next() {
  auto found = find_next();
  if (!found && at_end_) at_end_();
  return found;
}

std::optional<item> item_reader::find_next() {
  if (!first_.empty()) {
    for (std::size_t m = many(first_.front()); m > 0; --m)
      if (!tokens_.take()) return std::nullopt;
    item next = std::move(first_.front());
    first_.pop_front();
    return next;
  }
  for (;;) {
    auto next = collect();
    if (!next || stop_.raised()) return std::nullopt;
    if (!wanted_ || wanted_(*next)) return next;
    pass_over(many(*next));
    tokens_.give_back(many(*next));
  }
}

bool item_reader::has_ended() {
  if (!first_.empty() || left_over_) return false;
  if (ended_) return true;
  // The flag that ended the run ends a stream, too: what it holds has been looked at before.
  return from_.ready(std::chrono::milliseconds{0}) && !from_.next();
}

}  // namespace fmap::tool
