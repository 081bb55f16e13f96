// SPDX-License-Identifier: BSD-3-Clause
// The beginning of a chain of stages: a range whose elements leave in messages.

#include "actors/source/item_source.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmap/errors.hpp>

namespace fmap::actors {

namespace {

/// The number of elements after which it looks whether anybody still wants them.
constexpr int group = 64;

}  // namespace

puller::puller(caf::actor_config& config, std::unique_ptr<detail::message_stream> items,
               caf::actor_addr source, std::shared_ptr<common> shared)
    : detached_actor{config}, items_{std::move(items)}, source_{std::move(source)},
      common_{std::move(shared)} {}

caf::behavior puller::make_behavior() {
  return {
      [this](const send_to& x) { downstream_ = x.downstream.address(); },
      [this](demand d) {
        demand_ += std::min(d.n, std::numeric_limits<std::uint64_t>::max() - demand_);
        if (!pulling_) pull();
      },
      [this](wake) { pull(); },
  };
}

void puller::pull() {
  pulling_ = false;
  for (int i = 0; i != group && demand_ != 0; ++i, --demand_) {
    if (common_->over) return quit();
    std::optional<caf::message> item;
    try {
      item = items_->next();
    } catch (...) {
      return finish(
          caf::make_error(caf::sec::runtime_error, detail::describe(std::current_exception())));
    }
    if (!item) return finish({});
    const auto from = caf::actor_cast<caf::actor>(source_);
    const auto to = caf::actor_cast<caf::actor>(downstream_);
    if (!from || !to || common_->over) return quit();
    send_as(from, to, std::move(*item));
  }
  if (demand_ == 0) return;
  pulling_ = true;
  post(caf::actor{this}, wake{});
}

void puller::finish(caf::error reason) {
  const auto from = caf::actor_cast<caf::actor>(source_);
  if (from) send_as(caf::actor{this}, from, caf::make_message(end{std::move(reason)}));
  quit();
}

void puller::on_exit() {
  items_.reset();
  common_->left.ring();
}

item_source::item_source(caf::actor_config& config, std::unique_ptr<detail::message_stream> items)
    : lingering_actor{config, {"the source", "", items->sends()}}, items_{std::move(items)} {}

caf::behavior item_source::make_behavior() {
  return behaves({
      [this](const attach_sink&) {
        if (downstream_)
          return refuse(this, caf::sec::invalid_argument, "this source has a downstream already");
        attach_downstream(sender_of_message(this));
      },
      [this](const send_to& x) { send_to_downstream(x.downstream); },
      [this](const attach_source& a) {
        refuse(this, caf::sec::invalid_argument, mismatch(a.items, link()));
      },
      [this](demand d) {
        if (!downstream_.sent(this))
          return refuse(this, caf::sec::invalid_argument,
                        "demand from an actor that is not attached: send fmap::attach_sink first");
        post(puller_, d);
      },
      [this](const stop& s) {
        if (!downstream_.sent(this))
          return refuse(this, caf::sec::invalid_argument,
                        "stop from an actor that is not attached");
        downstream_.detach();
        end_with(s.reason);
      },
      [this](const neighbour_gone& gone) {
        if (!downstream_.is(gone.who)) return;
        downstream_.detach();
        end_with(gone.reason);
      },
      // The puller has sent its last element, or the range has thrown.
      [this](const end& e) {
        if (!puller_ || sender_of_message(this) != puller_)
          return refuse(this, caf::sec::invalid_argument, "a source is sent no end");
        downstream_.tell(this, e);
        downstream_.detach();
        end_with(e.reason);
      },
  });
}

void item_source::attach_downstream(const caf::actor& who) {
  if (!who) return;
  downstream_.attach(this, who);
  puller_ = spawn<puller, caf::detached>(std::move(items_), address(), common_);
  post(puller_, send_to{who});
}

/// connect() has said so. Who is refused hears of it: it waits for items from here.
void item_source::send_to_downstream(const caf::actor& who) {
  if (!who || downstream_.is(who.address())) return;
  if (downstream_)
    return actors::send(this, who,
                        end{caf::make_error(caf::sec::invalid_argument,
                                            "fmap: this source has a downstream already")});
  actors::send(this, who, attach_source{link().sends});
  attach_downstream(who);
}

void item_source::let_go(const caf::error& reason, doorbell_ptr left) {
  common_->over = true;
  tell_last(downstream_, end{end_of(reason, link().what)});
  downstream_.detach();
  if (puller_) {
    common_->left.sends_on(left);
    caf::anon_send_exit(puller_, caf::exit_reason::user_shutdown);
    puller_ = nullptr;
  } else {
    items_.reset();
    left->ring();
  }
}

}  // namespace fmap::actors
