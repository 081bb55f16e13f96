// SPDX-License-Identifier: BSD-3-Clause
// The beginning of a chain of stages: a range whose elements leave in messages.

#include "actors/source/item_source.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmap/errors.hpp>

namespace fmap::actors {

namespace {

/// After so many elements it looks whether anybody still wants them.
constexpr int group = 64;

}  // namespace

puller::puller(caf::actor_config& config, std::unique_ptr<detail::message_stream> items,
               caf::actor_addr source)
    : detached_actor{config}, items_{std::move(items)}, source_{std::move(source)} {}

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
    if (!from || !to) return quit();
    send_as(from, to, std::move(*item));
  }
  if (demand_ == 0) return;
  pulling_ = true;
  post(caf::actor{this}, wake{});
}

void puller::finish(caf::error reason) {
  const auto from = caf::actor_cast<caf::actor>(source_);
  const auto to = caf::actor_cast<caf::actor>(downstream_);
  if (from && to) send_as(from, to, caf::make_message(end{std::move(reason)}));
  if (from) send_as(caf::actor{this}, from, caf::make_message(end{}));
  quit();
}

item_source::item_source(caf::actor_config& config, std::unique_ptr<detail::message_stream> items)
    : caf::event_based_actor{config}, items_{std::move(items)} {}

caf::behavior item_source::make_behavior() {
  return {
      [this](attach_sink) { attach_downstream(sender_of_message(this)); },
      [this](const send_to& x) {
        attach_downstream(x.downstream);
        if (downstream_.is(x.downstream.address())) downstream_.tell(this, attach_source{});
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
        quit(s.reason);
      },
      [this](const neighbour_gone& gone) {
        if (!downstream_.is(gone.who)) return;
        downstream_.detach();
        quit(gone.reason);
      },
      // The puller has sent its last element.
      [this](const end&) {
        if (!puller_ || sender_of_message(this) != puller_)
          return refuse(this, caf::sec::invalid_argument, "a source is sent no end");
        downstream_.detach();
        quit();
      },
  };
}

void item_source::attach_downstream(const caf::actor& who) {
  if (!who) return;
  if (downstream_)
    return refuse(this, caf::sec::invalid_argument, "this source has a downstream already");
  downstream_.attach(this, who);
  puller_ = spawn<puller, caf::detached>(std::move(items_), address());
  post(puller_, send_to{who});
}

void item_source::on_exit() {
  downstream_.tell_at_last(end{end_of(fail_state(), "the source")});
  downstream_.detach();
  if (puller_) caf::anon_send_exit(puller_, caf::exit_reason::user_shutdown);
  puller_ = nullptr;
}

}  // namespace fmap::actors
