// SPDX-License-Identifier: BSD-3-Clause
// The beginning of a chain of stages: a range whose elements leave in messages.
#pragma once

#include <memory>

#include <fmap/detail/message_stream.hpp>

#include "actors/neighbour.hpp"

namespace fmap::actors {

/// Pulls elements of a range and sends them, as many as are demanded. It has a thread of its own, since
/// the range may block. What it sends comes from the source that it works for.
class puller final : public detached_actor {
public:
  puller(caf::actor_config&, std::unique_ptr<detail::message_stream>, caf::actor_addr source);

  const char* name() const override { return "fmap.puller"; }
  caf::behavior make_behavior() override;

private:
  void pull();
  void finish(caf::error reason);

  const std::unique_ptr<detail::message_stream> items_;
  const caf::actor_addr source_;
  caf::actor_addr downstream_;
  std::uint64_t demand_ = 0;
  bool pulling_ = false;  // a wake to itself is under way
};

/// What a chain of stages sees of a range: answers its downstream's demand, and ends with it.
///
///   open --all elements sent--> gone, downstream gets `end`
///   open --stop, or downstream gone--> gone
class item_source final : public caf::event_based_actor {
public:
  item_source(caf::actor_config&, std::unique_ptr<detail::message_stream>);

  const char* name() const override { return "fmap.source"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void attach_downstream(const caf::actor&);

  std::unique_ptr<detail::message_stream> items_;
  caf::actor puller_;
  neighbour downstream_;
};

}  // namespace fmap::actors
