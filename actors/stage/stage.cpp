// SPDX-License-Identifier: BSD-3-Clause
// The stage: a bounded map between two actors.

#include "actors/stage/stage.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmap/errors.hpp>

namespace fmap::actors {

stage::stage(caf::actor_config& config, std::unique_ptr<message_run> run,
             std::shared_ptr<const detail::stage_types> types)
    : lingering_actor{config, {"the stage", types->takes(), types->sends()}}, run_{std::move(run)},
      types_{std::move(types)}, buffersize_{run_->buffersize()}, group_{std::max<std::uint64_t>(
                                                                     buffersize_ / 8, 1)} {}

caf::behavior stage::make_behavior() {
  run_->wakes(address());
  const caf::message_handler control{
      [this](const receive_from& x) {
        if (!input_over_) upstream_.expect(this, x.upstream);
      },
      [this](const attach_source& a) { attach_upstream(a); },
      [this](const attach_sink&) {
        if (downstream_)
          return refuse(this, caf::sec::invalid_argument, "this stage has a downstream already");
        attach_downstream(sender_of_message(this));
      },
      [this](const send_to& x) { send_to_downstream(x.downstream); },
      [this](demand d) {
        if (!downstream_.sent(this))
          return refuse(this, caf::sec::invalid_argument,
                        "demand from an actor that is not attached: send fmap::attach_sink first");
        demand_ += std::min(d.n, std::numeric_limits<std::uint64_t>::max() - demand_);
        work();
      },
      [this](const end& e) {
        if (cut_ && upstream_.sent(this)) return;  // sent before the stop arrived
        if (!upstream_.sent(this) || input_over_)
          return refuse(this, caf::sec::invalid_argument,
                        input_over_ ? "end has been sent before"
                                    : "end from an actor that is not attached");
        end_input(e.reason);
      },
      [this](const stop& s) {
        if (!downstream_.sent(this))
          return refuse(this, caf::sec::invalid_argument,
                        "stop from an actor that is not attached");
        give_up(s.reason);
      },
      [this](const neighbour_gone& gone) {
        if (downstream_.is(gone.who)) return give_up(gone.reason);
        if (upstream_.is(gone.who) && !input_over_) end_input(end_of(gone.reason, "the upstream"));
      },
      // Of an item that has failed in a stage before this one.
      [this](failure& f) {
        if (!may_send()) return;
        --granted_;
        ++in_flight_;
        passing_.push_back({received_, std::move(f)});
        work();
      },
      // There are outcomes, or the pool has ended.
      [this](wake) { work(); },
  };
  return behaves(control.or_else(types_->receiver([this](detail::arrival& a) { receive(a); })));
}

// -- upstream ---------------------------------------------------------------------

void stage::attach_upstream(const attach_source& a) {
  const caf::actor who = sender_of_message(this);
  if (!who) return;
  if (const auto why = mismatch(a.items, link()); !why.empty())
    return refuse(this, caf::sec::invalid_argument, why);
  if (input_over_ || !upstream_.arrives(this, who))
    return refuse(this, caf::sec::invalid_argument, "this stage has had an upstream already");
  ask();
}

/// Whether the item or failure at hand was demanded; answers it if not.
bool stage::may_send() {
  const char* why = nullptr;
  if (!upstream_.sent(this))
    why = "an item from an actor that is not attached: send fmap::attach_source first";
  else if (cut_)
    return drop(), false;
  else if (input_over_)
    why = "an item after the end: it is dropped";
  else if (granted_ == 0)
    why = "more items than were demanded: this one is dropped";
  if (why != nullptr) refuse(this, caf::sec::invalid_argument, why);
  return why == nullptr;
}

void stage::receive(detail::arrival& a) {
  if (!may_send()) return;
  try {
    if (!run_->push([&](void* slot) { a.place(slot); })) {
      cut_input();
      return drop();
    }
    --granted_;
    ++in_flight_;
    ++received_;
  } catch (...) {
    // It cannot be moved into its slot: it fails here.
    --granted_;
    ++in_flight_;
    passing_.push_back({received_, failure{received_, detail::describe(std::current_exception())}});
    work();
  }
}

/// An item that was sent before the news of the pool's end could arrive: its sender is not to blame.
void stage::drop() {
  if (current_message_id().is_request())
    refuse(this, caf::sec::runtime_error, "the pool takes no more items");
}

/// The pool has ended.
void stage::cut_input() {
  if (input_over_) return;
  reason_ = run_->cut();
  upstream_.tell(this, stop{reason_});
  input_over_ = cut_ = true;
}

/// Demands as many items as there are free tokens, unless they are too few to be worth a message.
void stage::ask() {
  if (!upstream_.here() || input_over_) return;
  const std::uint64_t free = buffersize_ - in_flight_ - granted_;
  if (free < group_ && (free == 0 || granted_ != 0)) return;
  granted_ += free;
  upstream_.tell(this, demand{free});
}

void stage::end_input(caf::error reason) {
  input_over_ = true;
  reason_ = std::move(reason);
  run_->finish();
  work();
}

// -- downstream -------------------------------------------------------------------

void stage::attach_downstream(const caf::actor& who) {
  if (!who) return;
  downstream_.attach(this, who);
  if (over_) conclude();
}

/// connect() has said so. Who is refused hears of it: it waits for items from here.
void stage::send_to_downstream(const caf::actor& who) {
  if (!who || downstream_.is(who.address())) return;
  if (downstream_)
    return actors::send(this, who,
                        end{caf::make_error(caf::sec::invalid_argument,
                                            "fmap: this stage has a downstream already")});
  actors::send(this, who, attach_source{types_->sends()});
  attach_downstream(who);
}

/// Sends what there is and is wanted.
void stage::work() {
  if (over_) return;
  const bool run_over = run_->take(
      [this] {
        pass_failures(false);
        return demand_ != 0;
      },
      [this](detail::chunk& c, std::uint32_t offset, std::uint64_t index) {
        send_outcome(c, offset, index);
      });
  pass_failures(run_over);
  if (!run_over) return ask();
  cut_input();
  over_ = passing_.empty();
  if (over_ && downstream_) conclude();
}

/// Failures of earlier stages, at their places if that is wished.
void stage::pass_failures(bool all) {
  while (demand_ != 0 && !passing_.empty()
         && (all || !run_->ordered() || passing_.front().place <= sent_)) {
    --demand_;
    --in_flight_;
    downstream_.tell(this, std::move(passing_.front().what));
    passing_.pop_front();
  }
}

void stage::send_outcome(detail::chunk& c, std::uint32_t offset, std::uint64_t index) {
  --demand_;
  --in_flight_;
  ++sent_;
  if (c.state(offset).load(std::memory_order_acquire) == detail::slot_state::error)
    return downstream_.tell(this, failure{index, detail::describe(c.error(offset))});
  caf::message result;
  try {
    result = types_->wrap(c.value(offset));
  } catch (...) {
    return downstream_.tell(this, failure{index, detail::describe(std::current_exception())});
  }
  downstream_.tell(this, std::move(result));
}

void stage::conclude() {
  downstream_.tell(this, end{reason_});
  downstream_.detach();
  end_with(reason_);
}

/// Nobody wants the outcomes any more.
void stage::give_up(const caf::error& reason) {
  downstream_.detach();
  if (!input_over_) upstream_.tell(this, stop{reason});
  upstream_.detach();
  end_with(reason);
}

// Those who are still attached have not been told.
void stage::let_go(const caf::error& reason, doorbell_ptr left) {
  const caf::error why = end_of(reason, link().what);
  run_->abandon(left);  // who has been told may rely on it that no other call begins
  tell_last(downstream_, end{why});
  if (!input_over_) tell_last(upstream_, stop{why});
  downstream_.detach();
  upstream_.detach();
}

bool stage::obeys(const caf::actor_addr& who) const {
  return !who || upstream_.is(who) || downstream_.is(who);
}

}  // namespace fmap::actors
