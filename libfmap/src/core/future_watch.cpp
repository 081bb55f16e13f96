// SPDX-License-Identifier: BSD-3-Clause
// One thread waiting for several futures.

#include <unordered_set>
#include <utility>

#include <fmap/detail/future_watch.hpp>
#include <fmap/detail/parking.hpp>

namespace fmap::detail {

std::vector<std::size_t> repeats_in(const std::vector<future_state_base*>& states) {
  std::unordered_set<const void*> seen(states.size());
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i != states.size(); ++i)
    if (!seen.insert(states[i]).second) result.push_back(i);
  return result;
}

struct future_watch::node final : waiter {
  node() noexcept : waiter{kind::thread} {}
  void notify(future_state_base&) noexcept override;

  notes* owner = nullptr;
  future_state_base* state = nullptr;  // null once popped
  node* next = nullptr;                // in the order of completion
  bool seen = false;                   // was done when the watch was made
};

class future_watch::notes {
public:
  explicit notes(const std::vector<future_state_base*>& states) : nodes(states.size()) {
    for (std::size_t i = 0; i != states.size(); ++i) {
      node& n = nodes[i];
      n.owner = this;
      n.state = states[i];
      n.seen = n.state->done();
      if (n.seen) arrive(n);
    }
  }

  bool enough() const noexcept { return arrived_ >= wanted_ || (or_error_ && failed_); }

  void arrive(node& n) noexcept {
    (last_ != nullptr ? last_->next : first_) = &n;
    last_ = &n;
    ++arrived_;
    if (n.state->now() == future_state_base::status::error) failed_ = true;
  }

  /// Whether there is enough now; rings the place as soon as there is.
  bool want(std::size_t wanted, bool or_error) noexcept {
    return place.check([&] {
      wanted_ = wanted;
      or_error_ = or_error;
      return enough();
    });
  }

  node& pop() noexcept {
    node* n = nullptr;
    place.check([&] {
      n = first_;
      first_ = n->next;
      if (first_ == nullptr) last_ = nullptr;
      n->state = nullptr;
      return false;
    });
    return *n;
  }

  std::vector<node> nodes;
  bool started = false;
  parking place;  // its mutex guards the rest

private:
  node* first_ = nullptr;
  node* last_ = nullptr;
  std::size_t arrived_ = 0, wanted_ = 0;
  bool or_error_ = false, failed_ = false;
};

void future_watch::node::notify(future_state_base&) noexcept {
  owner->place.ring_if([this] {
    owner->arrive(*this);
    return owner->enough();
  });
}

future_watch::future_watch(const std::vector<future_state_base*>& states)
    : size_{states.size()}, notes_{std::make_unique<notes>(states)} {}

future_watch::~future_watch() {
  if (!notes_->started) return;
  std::size_t removed = 0;
  for (node& n : notes_->nodes)
    if (n.state != nullptr && !n.seen && n.state->remove(n)) ++removed;
  if (!notes_->want(size_ - removed, false)) notes_->place.wait();  // the others are reporting
}

void future_watch::start() noexcept {
  if (std::exchange(notes_->started, true)) return;
  for (node& n : notes_->nodes)
    if (!n.seen && !n.state->add(n)) n.notify(*n.state);
}

bool future_watch::wait_for(std::size_t wanted, bool or_error, const deadline& until) {
  if (notes_->want(wanted, or_error)) return true;
  if (until == time_limit::only_look) return false;
  start();
  if (current_helper != nullptr) {
    // Rather than block a worker, it runs what nobody has begun.
    for (const node& n : notes_->nodes) {
      if (notes_->want(wanted, or_error)) break;
      if (n.state != nullptr && !n.state->done()) n.state->try_run_here();
    }
  }
  wait_at(notes_->place, until);
  return notes_->want(wanted, or_error);
}

std::size_t future_watch::pop() noexcept {
  return static_cast<std::size_t>(&notes_->pop() - notes_->nodes.data());
}

}  // namespace fmap::detail
