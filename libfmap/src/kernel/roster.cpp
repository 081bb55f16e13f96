// SPDX-License-Identifier: BSD-3-Clause
// The workers that have joined, and which of them sleep.

#include "src/kernel/roster.hpp"

#include <cassert>

namespace fmap::kernel {

namespace {

/// It takes what it finds, as soon as it is back. A stub takes no more than is its share, and a reserve comes for
/// other things.
bool counted_on(const worker& w) {
  return (w.where == presence::at_work || w.where == presence::called) && !w.remote && !w.reserve;
}

}  // namespace

void roster::join(worker& w, worker_id id, doorbell_ptr bell) {
  w.id = id;
  w.bell = std::move(bell);
  w.place = static_cast<std::uint32_t>(all_.size());
  if (!free_places_.empty()) {
    w.place = free_places_.back();
    free_places_.pop_back();
  }
  all_.push_back(&w);
}

void roster::leave(worker& w) {
  free_places_.push_back(w.place);
  std::erase(all_, &w);
  rests(w);
  w.bell.reset();
}

void roster::comes(worker& w, clock::time_point now) {
  rests(w);
  w.where = presence::at_work;
  w.since = now;
}

void roster::sleeps(worker& w) {
  assert(w.where != presence::asleep);
  w.where = presence::asleep;
  stack_of(w).push_back(&w);
}

void roster::rests(worker& w) {
  if (std::exchange(w.where, presence::away) == presence::asleep) std::erase(stack_of(w), &w);
}

void roster::called(worker& w, clock::time_point now, bool hurry) {
  assert(w.where == presence::asleep);
  auto& stack = stack_of(w);
  const auto it = std::find(stack.rbegin(), stack.rend(), &w);
  stack.erase(std::next(it).base());
  w.where = presence::called;
  w.since = now;
  w.hurry = hurry;
}

std::vector<worker*> roster::wake_all() {
  std::vector<worker*> result = std::exchange(asleep_.empty() ? asleep_reserves_ : asleep_, {});
  for (worker* w : result) w->where = presence::away;
  return result;
}

bool roster::someone_soon(clock::time_point now) const {
  if (looking_ != 0) return true;
  return std::any_of(all_.begin(), all_.end(), [&](const worker* w) {
    return counted_on(*w) && now - w->since < tuning::soon;
  });
}

bool roster::none_since(clock::time_point now, clock::duration time) const {
  return std::all_of(all_.begin(), all_.end(),
                     [&](const worker* w) { return now - w->since >= time; });
}

}  // namespace fmap::kernel
