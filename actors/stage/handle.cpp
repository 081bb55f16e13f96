// SPDX-License-Identifier: BSD-3-Clause
// The handle: a pool as an actor that answers requests.

#include "actors/stage/handle.hpp"

#include <cstdio>
#include <string>
#include <utility>

#include <fmap/errors.hpp>

namespace fmap::actors {

handle::handle(caf::actor_config& config, std::unique_ptr<message_run> run,
               std::shared_ptr<const detail::stage_types> types, bool patient)
    : lingering_actor{config, {"the handle", "", ""}}, run_{std::move(run)},
      types_{std::move(types)}, buffersize_{run_->buffersize()}, patient_{patient},
      answers_nothing_{types_->sends() == detail::type_in_message<std::monostate>()} {}

caf::behavior handle::make_behavior() {
  run_->wakes(address());
  // There are results, or the pool has ended.
  const caf::message_handler control{[this](wake) { work(); }};
  return behaves(control.or_else(types_->receiver([this](detail::arrival& a) { receive(a); })));
}

void handle::receive(detail::arrival& a) {
  asker from{make_response_promise(), current_message_id().is_request()};
  if (askers_.size() < buffersize_) return push(a, std::move(from));
  if (!patient_)
    return from.promise.deliver(caf::make_error(
        caf::sec::runtime_error, "fmap: the pool is full: " + std::to_string(buffersize_)
                                     + " requests are being worked on"));
  try {
    waiting_.push_back({a.keep(), from});
  } catch (...) {
    fail(from, error_of(std::current_exception()));
  }
}

void handle::push(detail::arrival& a, asker from) {
  try {
    if (!run_->push([&](void* slot) { a.place(slot); }))
      return fail(from,
                  caf::make_error(caf::sec::runtime_error, "fmap: the pool takes no more items"));
  } catch (...) {
    return fail(from, error_of(std::current_exception()));
  }
  askers_.emplace(next_++, std::move(from));
  stay_alive();
}

void handle::work() {
  const bool over = run_->take([] { return true; },
                               [this](detail::chunk& c, std::uint32_t offset, std::uint64_t index) {
                                 auto from = std::move(askers_.extract(index).mapped());
                                 answer(from, c, offset);
                               });
  if (over) return end_with(run_->cut());
  while (!waiting_.empty() && askers_.size() < buffersize_) {
    waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    push(*next.item, std::move(next.from));
  }
  stay_alive();
}

void handle::answer(asker& to, detail::chunk& c, std::uint32_t offset) {
  if (c.state(offset).load(std::memory_order_acquire) == detail::slot_state::error)
    return fail(to, error_of(c.error(offset)));
  if (answers_nothing_ && !to.requested) return answer_nothing(to.promise);
  caf::message result;
  try {
    result = types_->wrap(c.value(offset));
  } catch (...) {
    return fail(to, error_of(std::current_exception()));
  }
  to.promise.deliver(std::move(result));
}

/// Who sent a plain message to a function that returns nothing waits for no answer, and by CAF's default an
/// error message would end him: as with an actor's handler, it is printed.
void handle::fail(asker& to, const caf::error& why) {
  if (!answers_nothing_ || to.requested) return to.promise.deliver(why);
  std::fprintf(stderr, "fmap: a message to a pool's handle failed: %s\n",
               caf::to_string(why).c_str());
  answer_nothing(to.promise);
}

void handle::stay_alive() {
  if (askers_.empty())
    self_ = nullptr;
  else if (!self_)
    self_ = caf::actor{this};
}

void handle::let_go(const caf::error& reason, doorbell_ptr left) {
  run_->abandon(left);
  const caf::error why = end_of(reason, link().what);
  for (auto& [index, from] : std::exchange(askers_, {})) fail(from, why);
  for (auto& w : std::exchange(waiting_, {})) fail(w.from, why);
  self_ = nullptr;
}

}  // namespace fmap::actors
