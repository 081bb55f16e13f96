// SPDX-License-Identifier: BSD-3-Clause
// The beginning of a chain of stages: a range whose elements leave in messages.
#pragma once

#include <atomic>
#include <memory>

#include <fmap/detail/message_stream.hpp>

#include "actors/lingering_actor.hpp"

namespace fmap::actors {

/// Pulls elements of a range and sends them, as many as are demanded. It has a thread of its own, since
/// the range may block. What it sends comes from the source that it works for.
class puller final : public detached_actor {
public:
  /// What the source and its puller share.
  struct common {
    std::atomic<bool> over{false};  // the source has ended: nothing more is pulled
    one_time_bell left;             // rung when the range is destroyed
  };

  puller(caf::actor_config&, std::unique_ptr<detail::message_stream>, caf::actor_addr source,
         std::shared_ptr<common>);

  const char* name() const override { return "fmap.puller"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void pull();
  void finish(caf::error reason);

  std::unique_ptr<detail::message_stream> items_;
  const caf::actor_addr source_;
  const std::shared_ptr<common> common_;
  caf::actor_addr downstream_;
  std::uint64_t demand_ = 0;
  bool pulling_ = false;  // a wake to itself is under way
};

/// What a chain of stages sees of a range: answers its downstream's demand, and ends with it.
///
///   open --all elements sent--> gone, downstream gets `end`
///   open --the range throws--> gone with that, as downstream's `end`
///   open --stop, or downstream gone, exit or error message--> gone
///
/// It is gone when the puller has left the range and that is destroyed.
class item_source final : public lingering_actor {
public:
  item_source(caf::actor_config&, std::unique_ptr<detail::message_stream>);

  const char* name() const override { return "fmap.source"; }
  caf::behavior make_behavior() override;

private:
  void let_go(const caf::error&, doorbell_ptr left) override;
  bool obeys(const caf::actor_addr& who) const override { return !who || downstream_.is(who); }
  bool at_work() const override { return static_cast<bool>(downstream_); }
  void attach_downstream(const caf::actor&);
  void send_to_downstream(const caf::actor&);

  std::unique_ptr<detail::message_stream> items_;
  const std::shared_ptr<puller::common> common_ = std::make_shared<puller::common>();
  caf::actor puller_;
  neighbour downstream_;
};

}  // namespace fmap::actors
