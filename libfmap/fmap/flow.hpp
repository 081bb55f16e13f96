// SPDX-License-Identifier: BSD-3-Clause
// Stages in CAF's flows. Optional, and for CAF 1.1 or newer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include <caf/actor.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/expected.hpp>
#include <caf/flow/op/ucast.hpp>
#include <caf/scheduled_actor/flow.hpp>

#include <fmap/stage.hpp>

#include "actors/neighbour.hpp"

#if !FMAP_CAF_1
#  error "fmap: fmap/flow.hpp needs the flows of CAF 1.1 or newer"
#endif

namespace fmap {

namespace detail {

/// The upstream of a stage, which takes its items from a flow.
template <class In>
class flow_upstream final : public caf::event_based_actor {
public:
  flow_upstream(caf::actor_config& config, caf::async::consumer_resource<In> items,
                caf::actor stage)
      : caf::event_based_actor{config}, items_{std::move(items)}, stage_{std::move(stage)} {}

  const char* name() const override { return "fmap.flow_upstream"; }

  caf::behavior make_behavior() override {
    watched_.attach(this, stage_);
    actors::send(this, stage_, attach_source{type_in_message<In>()});
    make_observable()
        .from_resource(std::move(items_))
        .subscribe(caf::flow::observer<In>{caf::make_counted<feed>(this)});
    return {
        [this](demand d) {
          demand_ +=
              std::min<std::uint64_t>(d.n, std::numeric_limits<std::size_t>::max() - demand_);
          request();
        },
        [this](const stop& s) { leave(s.reason); },
        [this](const actors::neighbour_gone& gone) { leave(gone.reason); },
        [this](const caf::error& refusal) { leave(refusal); },
    };
  }

private:
  class feed final : public caf::flow::observer_impl_base<In> {
  public:
    explicit feed(flow_upstream* self) : self_{self} {}
    caf::flow::coordinator* parent() const noexcept override { return self_; }
    void on_subscribe(caf::flow::subscription s) override {
      self_->flow_ = std::move(s);
      self_->request();
    }
    void on_next(const In& item) override { actors::send(self_, self_->stage_, item); }
    void on_complete() override { self_->conclude({}); }
    void on_error(const caf::error& reason) override { self_->conclude(reason); }

  private:
    flow_upstream* self_;
  };

  void request() {
    if (flow_ && demand_ != 0) flow_.request(std::exchange(demand_, 0));
  }

  /// The flow is over.
  void conclude(const caf::error& reason) {
    flow_ = {};
    actors::send(this, stage_, end{reason});
    quit();
  }

  /// The stage takes no more items.
  void leave(const caf::error& reason) {
    flow_.cancel();
    quit(reason);
  }

  caf::async::consumer_resource<In> items_;
  const caf::actor stage_;
  actors::neighbour watched_;
  caf::flow::subscription flow_;
  std::size_t demand_ = 0;  // of the stage, not yet requested of the flow
};

template <class T>
struct result_in_flow {
  using type = T;
  static constexpr bool failures_are_items = false;
};

template <class T>
struct result_in_flow<caf::expected<T>> {
  using type = T;
  static constexpr bool failures_are_items = true;
};

/// The downstream of a stage, which puts what it gets into a flow.
template <class T>
class flow_downstream final : public caf::event_based_actor,
                              private caf::flow::op::ucast_sub_state_listener<T> {
  using traits = result_in_flow<T>;
  using queue = caf::flow::op::ucast<T>;

public:
  flow_downstream(caf::actor_config& config, caf::async::producer_resource<T> flow,
                  caf::actor stage, const caf::actor& user)
      : caf::event_based_actor{config}, flow_{std::move(flow)}, stage_{std::move(stage)} {
    // CAF 1.1 tells a buffer's writer nothing when the actor that reads it ends.
    user_.attach(this, user);
  }

  const char* name() const override { return "fmap.flow_downstream"; }

  caf::behavior make_behavior() override {
    watched_.attach(this, stage_);
    actors::send(this, stage_, attach_sink{});
    queue_ = this->add_child(std::in_place_type<queue>);
    queue_->state().listener = this;
    caf::flow::observable<T>{queue_}.subscribe(std::move(flow_));
    return {
        [this](const typename traits::type& result) { push(result); },
        [this](const failure& f) {
          const auto what =
              caf::make_error(caf::sec::runtime_error,
                              "fmap: item " + std::to_string(f.index) + " failed: " + f.what);
          if constexpr (traits::failures_are_items)
            push(what);
          else
            leave(what);  // the flow has no place for it
        },
        [this](const end& e) { conclude(e.reason); },
        [this](const actors::neighbour_gone& gone) {
          if (user_.is(gone.who)) return leave(gone.reason);
          conclude(gone.reason
                       ? gone.reason
                       : caf::make_error(caf::sec::runtime_error, "fmap: the stage ended early"));
        },
        [this](const caf::error& refusal) { conclude(refusal); },
    };
  }

private:
  void on_demand_changed(caf::flow::op::ucast_sub_state<T>* state) override {
    if (state->demand <= expected_) return;
    actors::send(this, stage_, demand{state->demand - expected_});
    expected_ = state->demand;
  }

  void on_disposed(caf::flow::op::ucast_sub_state<T>*, bool) override {
    actors::send(this, stage_, stop{});
    quit();
  }

  void push(const T& x) {
    --expected_;
    queue_->push(x);
  }

  /// The stage has sent its last.
  void conclude(const caf::error& reason) {
    if (reason)
      queue_->abort(reason);
    else
      queue_->close();
    quit(reason);
  }

  /// The flow takes no more results.
  void leave(const caf::error& reason) {
    actors::send(this, stage_, stop{reason});
    conclude(reason);
  }

  caf::async::producer_resource<T> flow_;
  const caf::actor stage_;
  actors::neighbour watched_, user_;
  caf::intrusive_ptr<queue> queue_;
  std::size_t expected_ = 0;  // demanded of the stage and not received
};

}  // namespace detail

/// Has a stage take its items from a flow, as many as it demands; besides these, at most as many as a
/// buffer between two flows of CAF holds (`caf::defaults::flow::buffer_size`) are outside of both.
///
/// When the flow completes or fails, the stage gets the end, with the flow's error as its reason. When the
/// stage stops, ends, or has an upstream already, the flow is cancelled. Keeps the stage alive until then.
/// Call it in `self`, whose flow it is. Throws `std::invalid_argument` for a null handle.
template <class In>
void to_stage(caf::scheduled_actor* self, caf::flow::observable<In> items,
              const caf::actor& stage) {
  detail::require_actor(stage, "to_stage");
  detail::require_link(detail::type_in_message<In>(), stage, "to_stage");
  auto [pull, push] = caf::async::make_spsc_buffer_resource<In>();
  self->system().template spawn<detail::flow_upstream<In>>(std::move(pull), stage);
  items.subscribe(std::move(push));  // unlike to_resource(), keeps `self` alive
}

/// The results of a stage as a flow in `self`. The stage is asked for as many as the flow requests, which
/// is at most what a buffer between two flows of CAF holds.
///
/// `T` is the stage's Out, and then the first item that failed ends the flow with its text as the error,
/// and stops the stage; or `caf::expected<Out>`, and then failures are elements of the flow as results
/// are. The flow completes after the stage's end, or fails with that end's reason. When the flow is
/// cancelled the stage stops. Keeps the stage alive until then. Call it in `self`. Throws
/// `std::invalid_argument` for a null handle.
template <class T>
caf::flow::observable<T> from_stage(caf::scheduled_actor* self, const caf::actor& stage) {
  detail::require_actor(stage, "from_stage");
  detail::require_sender(stage, detail::type_in_message<typename detail::result_in_flow<T>::type>(),
                         "from_stage");
  auto [pull, push] = caf::async::make_spsc_buffer_resource<T>();
  self->system().template spawn<detail::flow_downstream<T>>(std::move(push), stage,
                                                            caf::actor_cast<caf::actor>(self));
  return self->make_observable().from_resource(std::move(pull));
}

}  // namespace fmap
