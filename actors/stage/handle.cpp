// SPDX-License-Identifier: BSD-3-Clause
// The handle: a pool as an actor that answers requests.

#include "actors/stage/handle.hpp"

#include <string>
#include <utility>

#include <fmap/errors.hpp>

#include "actors/neighbour.hpp"

namespace fmap::actors {

handle::handle(caf::actor_config& config, std::unique_ptr<message_run> run,
               std::shared_ptr<const detail::stage_types> types, bool patient)
    : caf::event_based_actor{config}, run_{std::move(run)}, types_{std::move(types)},
      buffersize_{run_->buffersize()}, patient_{patient} {}

caf::behavior handle::make_behavior() {
  run_->wakes(address());
  // There are results, or the pool has ended.
  const caf::message_handler control{[this](wake) { work(); }};
  return caf::behavior{
      control.or_else(types_->receiver([this](detail::arrival& a) { receive(a); }))};
}

void handle::receive(detail::arrival& a) {
  auto answer = make_response_promise();
  if (answers_.size() < buffersize_) return push(a, std::move(answer));
  if (patient_) return waiting_.push_back({a.keep(), std::move(answer)});
  answer.deliver(caf::make_error(caf::sec::runtime_error,
                                 "fmap: the pool is full: " + std::to_string(buffersize_)
                                     + " requests are being worked on"));
}

void handle::push(detail::arrival& a, caf::response_promise answer) {
  try {
    if (!run_->push([&](void* slot) { a.place(slot); }))
      return answer.deliver(
          caf::make_error(caf::sec::runtime_error, "fmap: the pool takes no more items"));
    answers_.emplace(next_++, std::move(answer));
    stay_alive();
  } catch (...) {
    answer.deliver(error_of(std::current_exception()));
  }
}

void handle::work() {
  const bool over =
      run_->take([] { return true; },
                 [this](detail::chunk& c, std::uint32_t offset, std::uint64_t index) {
                   auto answer = std::move(answers_.extract(index).mapped());
                   if (c.state(offset).load(std::memory_order_acquire) == detail::slot_state::error)
                     answer.deliver(error_of(c.error(offset)));
                   else
                     answer.deliver(types_->wrap(c.value(offset)));
                 });
  if (over) {
    const caf::error why = run_->cut();
    refuse_all(why);
    quit(why);
  }
  while (!over && !waiting_.empty() && answers_.size() < buffersize_) {
    waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    push(*next.item, std::move(next.answer));
  }
  stay_alive();
}

void handle::refuse_all(const caf::error& why) {
  for (auto& [index, answer] : std::exchange(answers_, {})) answer.deliver(why);
  for (auto& w : std::exchange(waiting_, {})) w.answer.deliver(why);
}

void handle::stay_alive() {
  if (answers_.empty())
    self_ = nullptr;
  else if (!self_)
    self_ = caf::actor{this};
}

void handle::on_exit() {
  refuse_all(end_of(fail_state(), "the handle"));
  run_.reset();
  self_ = nullptr;
}

}  // namespace fmap::actors
