// SPDX-License-Identifier: BSD-3-Clause
// The sink: the end of a chain of stages, which calls a function.

#include "actors/sink/sink.hpp"

#include <algorithm>
#include <utility>

#include <fmap/errors.hpp>

namespace fmap::actors {

sink::sink(caf::actor_config& config, std::unique_ptr<message_run> run,
           std::shared_ptr<const detail::stage_types> types)
    : caf::event_based_actor{config}, run_{std::move(run)}, types_{std::move(types)},
      buffersize_{run_->buffersize()}, group_{std::max<std::uint64_t>(buffersize_ / 8, 1)} {}

caf::behavior sink::make_behavior() {
  run_->wakes(address());
  const caf::message_handler control{
      [this](attach_source) {
        const caf::actor who = sender_of_message(this);
        if (!who) return;
        if (upstream_ || input_over_)
          return refuse(this, caf::sec::invalid_argument, "this sink has had an upstream already");
        upstream_.attach(this, who);
        ask();
      },
      [this](const end& e) {
        if (!upstream_.sent(this) || input_over_)
          return refuse(this, caf::sec::invalid_argument,
                        input_over_ ? "end has been sent before"
                                    : "end from an actor that is not attached");
        end_input(e.reason);
      },
      [this](const neighbour_gone& gone) {
        if (!upstream_.is(gone.who) || input_over_) return;
        end_input(end_of(gone.reason, "the upstream"));
      },
      // Calls have returned.
      [this](wake) { work(); },
  };
  return caf::behavior{
      control.or_else(types_->receiver([this](detail::arrival& a) { receive(a); }))};
}

void sink::receive(detail::arrival& a) {
  if (!upstream_.sent(this) || input_over_ || granted_ == 0)
    return refuse(this, caf::sec::invalid_argument, "an item that was not demanded: it is dropped");
  try {
    if (!run_->push([&](void* slot) { a.place(slot); })) return quit(run_->cut());
    --granted_;
    ++in_flight_;
  } catch (...) {
    refuse(this, caf::sec::runtime_error, detail::describe(std::current_exception()));
  }
}

void sink::ask() {
  if (!upstream_ || input_over_) return;
  const std::uint64_t free = buffersize_ - in_flight_ - granted_;
  if (free < group_ && (free == 0 || granted_ != 0)) return;
  granted_ += free;
  upstream_.tell(this, demand{free});
}

void sink::end_input(caf::error reason) {
  input_over_ = true;
  reason_ = std::move(reason);
  run_->finish();
  work();
}

void sink::work() {
  caf::error failed;
  const bool over =
      run_->take([&] { return !failed; },
                 [&](detail::chunk& c, std::uint32_t offset, std::uint64_t) {
                   --in_flight_;
                   if (c.state(offset).load(std::memory_order_acquire) == detail::slot_state::error)
                     failed = error_of(c.error(offset));
                 });
  if (failed)
    quit(failed);
  else if (over)
    quit(input_over_ ? reason_ : run_->cut());
  else
    ask();
}

// An upstream that has not sent its end must not go on.
void sink::on_exit() {
  if (!input_over_) upstream_.tell_at_last(stop{end_of(fail_state(), "the sink")});
  upstream_.detach();
  run_.reset();
}

}  // namespace fmap::actors
