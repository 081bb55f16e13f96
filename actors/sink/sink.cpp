// SPDX-License-Identifier: BSD-3-Clause
// The sink: the end of a chain of stages, which calls a function.

#include "actors/sink/sink.hpp"

#include <algorithm>
#include <utility>

#include <fmap/errors.hpp>

#include "src/kernel/tuning.hpp"

namespace fmap::actors {

sink::sink(caf::actor_config& config, std::unique_ptr<message_run> run,
           std::shared_ptr<const detail::stage_types> types)
    : lingering_actor{config, {"the sink", types->takes(), ""}}, run_{std::move(run)},
      types_{std::move(types)}, buffersize_{run_->buffersize()},
      group_{std::max<std::uint64_t>(buffersize_ / kernel::tuning::token_group_share, 1)} {}

caf::behavior sink::make_behavior() {
  run_->wakes(address());
  const caf::message_handler control{
      [this](const receive_from& x) {
        if (!input_over_) upstream_.expect(this, x.upstream);
      },
      [this](const attach_source& a) { attach_upstream(a); },
      [this](const send_to& x) { actors::send(this, x.downstream, end{no_sender(link())}); },
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
  return behaves(control.or_else(types_->receiver([this](detail::arrival& a) { receive(a); })));
}

void sink::attach_upstream(const attach_source& a) {
  const caf::actor who = sender_of_message(this);
  if (!who) return;
  if (const auto why = mismatch(a.items, link()); !why.empty())
    return refuse(this, caf::sec::invalid_argument, why);
  if (input_over_ || !upstream_.arrives(this, who))
    return refuse(this, caf::sec::invalid_argument, "this sink has had an upstream already");
  ask();
}

void sink::receive(detail::arrival& a) {
  if (!upstream_.sent(this) || input_over_ || granted_ == 0)
    return refuse(this, caf::sec::invalid_argument, "an item that was not demanded: it is dropped");
  try {
    if (!run_->push([&](void* slot) { a.place(slot); })) return end_with(run_->cut());
    --granted_;
    ++in_flight_;
  } catch (...) {
    end_with(error_of(std::current_exception()));  // the item cannot be moved into its slot
  }
}

void sink::ask() {
  if (!upstream_.here() || input_over_) return;
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
    end_with(failed);
  else if (over)
    end_with(input_over_ ? reason_ : run_->cut());
  else
    ask();
}

// An upstream that has not sent its end must not go on.
void sink::let_go(const caf::error& reason, doorbell_ptr left) {
  run_->abandon(left);  // who has been told may rely on it that no other call begins
  if (!input_over_) tell_last(upstream_, stop{end_of(reason, link().what)});
  upstream_.detach();
}

bool sink::obeys(const caf::actor_addr& who) const { return !who || upstream_.is(who); }

}  // namespace fmap::actors
