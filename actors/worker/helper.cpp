// SPDX-License-Identifier: BSD-3-Clause
// What a worker does while the task it runs waits for something.

#include "actors/worker/helper.hpp"

#include <utility>

#include <fmap/errors.hpp>

namespace fmap::actors {

pool_helper::~pool_helper() {
  for (auto& l : levels_) box_->leave(l->place);
}

pool_helper::level& pool_helper::descend() {
  if (depth_ == deepest)
    throw would_deadlock{"fmap: tasks wait for tasks of their own pool, more than "
                         + std::to_string(deepest) + " deep in one worker"};
  if (depth_ == levels_.size()) {
    levels_.push_back(std::make_unique<level>());
    level& l = *levels_.back();
    box_->join(l.place, l.bell, 0, 1);
  }
  return *levels_[depth_];
}

bool pool_helper::help_until(detail::parking& place, const deadline& until) {
  if (place.rung()) return true;
  if (until && *until <= clock::now()) return false;
  level& mine = descend();
  ++depth_;
  mine.place.until = &place;
  place.forward_to(mine.bell.get());
  bool rung = false;
  do {
    box_->work(mine.place);
    rung = place.rung();
  } while (!rung && mine.bell->wait_alone(until));
  place.forward_to(nullptr);
  box_->rest(mine.place);
  mine.place.until = nullptr;
  --depth_;
  return rung || place.rung();
}

helping::helping(pool_helper& h)
    : helper_before_{std::exchange(detail::current_helper, &h)}, box_before_{std::exchange(
                                                                     working_for, h.box())} {}

helping::~helping() {
  detail::current_helper = helper_before_;
  working_for = box_before_;
}

}  // namespace fmap::actors
