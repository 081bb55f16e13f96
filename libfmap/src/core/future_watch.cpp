// SPDX-License-Identifier: BSD-3-Clause
// One thread waiting for several futures.

#include <unordered_set>

#include <fmap/detail/future_watch.hpp>

namespace fmap::detail {

std::vector<std::size_t> repeats_in(const std::vector<future_state_base*>& states) {
  std::unordered_set<const void*> seen(states.size());
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i != states.size(); ++i)
    if (!seen.insert(states[i]).second) result.push_back(i);
  return result;
}

class future_watch::node final : public waiter {
public:
  node() noexcept : waiter{kind::thread} {}

  void notify(future_state_base&) noexcept override {
    owner->place_.ring_if([this] {
      owner->arrive(*this);
      return owner->enough();
    });
  }

  future_watch* owner = nullptr;
  future_state_base* state = nullptr;  // null once popped
  node* next = nullptr;                // in the order of completion
  bool seen = false;                   // was done when the watch was made
};

future_watch::future_watch(const std::vector<future_state_base*>& states)
    : size_{states.size()}, nodes_{std::make_unique<node[]>(states.size())} {
  for (std::size_t i = 0; i < size_; ++i) {
    node& n = nodes_[i];
    n.owner = this;
    n.state = states[i];
    n.seen = n.state->done();
    if (n.seen) arrive(n);
  }
}

future_watch::~future_watch() {
  if (!started_) return;
  std::size_t removed = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    node& n = nodes_[i];
    if (n.state != nullptr && !n.seen && n.state->remove(n)) ++removed;
  }
  const auto all_others_reported = [this, removed] {
    wanted_ = size_ - removed;
    or_error_ = false;
    return enough();
  };
  if (!place_.check(all_others_reported)) place_.wait();
}

void future_watch::arrive(node& n) noexcept {
  (last_ != nullptr ? last_->next : first_) = &n;
  last_ = &n;
  ++arrived_;
  if (n.state->now() == future_state_base::status::error) failed_ = true;
}

void future_watch::start() noexcept {
  if (started_) return;
  started_ = true;
  for (std::size_t i = 0; i < size_; ++i) {
    node& n = nodes_[i];
    if (!n.seen && !n.state->add(n)) n.notify(*n.state);
  }
}

bool future_watch::wait_for(std::size_t wanted, bool or_error, const deadline& until) {
  const auto satisfied = [&] {
    wanted_ = wanted;
    or_error_ = or_error;
    return enough();
  };
  if (place_.check(satisfied)) return true;
  if (until == time_limit::only_look) return false;
  start();
  if (current_helper != nullptr) {
    // Rather than block a worker, it runs what nobody has begun.
    for (std::size_t i = 0; i < size_ && !place_.check(satisfied); ++i) {
      future_state_base* const state = nodes_[i].state;
      if (state != nullptr && !state->done()) state->try_run_here();
    }
  }
  wait_at(place_, until);
  return place_.check(satisfied);
}

std::size_t future_watch::pop() noexcept {
  node* n = nullptr;
  place_.check([&] {
    n = first_;
    first_ = n->next;
    if (first_ == nullptr) last_ = nullptr;
    n->state = nullptr;
    return false;
  });
  return static_cast<std::size_t>(n - nodes_.get());
}

}  // namespace fmap::detail
