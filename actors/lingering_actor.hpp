// SPDX-License-Identifier: BSD-3-Clause
// Actors whose user code runs on other threads, and who are seen to end after it.
#pragma once

#include <memory>
#include <string>

#include "actors/kernel_names.hpp"
#include "actors/neighbour.hpp"
#include "src/kernel/doorbell.hpp"

namespace fmap::actors {

/// What connect() has to know of one of fmap's actors before it joins two of them.
struct chain_link {
  std::string what;   // "the stage"
  std::string takes;  // the type of its items; empty: it takes none
  std::string sends;  // the same for what it sends
};

/// Why one that sends `items` cannot be this one's upstream; empty if it can, or if nothing is known of it.
std::string mismatch(const std::string& items, const chain_link& receiver);

/// Why one that sends nothing is no upstream.
caf::error no_sender(const chain_link&);

/// Has others run user code. However it ends (by itself, by an exit or error message, with its last handle),
/// its neighbours are told at once, but monitors, links and attached functors when the last call of user code
/// has returned, and what that used is destroyed. So whoever has seen the end may destroy what user code
/// refers to. The actor system waits as long.
class lingering_actor : public droppable_actor {
public:
  /// Exit and error messages become `end_order`: CAF would end the actor at once.
  using droppable_actor::enqueue;
  enqueued enqueue(caf::mailbox_element_ptr, executing_unit*) override;

  void on_exit() override;

  const chain_link& link() const { return link_; }

protected:
  lingering_actor(caf::actor_config& config, chain_link link);

  /// The actor's messages, and those that all of these have.
  caf::behavior behaves(const caf::message_handler& own);

  /// Lets go, and ends when user code has returned. Only the first reason counts.
  void end_with(caf::error reason);

  /// Tells a neighbour the last that it will hear of this actor.
  template <class Message>
  void tell_last(const neighbour& to, Message content) {
    if (nameless_)
      to.tell_at_last(std::move(content));
    else
      to.tell(this, std::move(content));
  }

  /// Called once, whatever the end: tells those neighbours who have not been told, and rings when no user
  /// code runs any more. `reason` may be a normal one, or `unreachable`.
  virtual void let_go(const caf::error& reason, doorbell_ptr left) = 0;

  /// Whether an error message from this one (null: from nobody) ends this actor.
  virtual bool obeys(const caf::actor_addr& who) const = 0;

  /// Whether it has something to do that is lost with its last handle, so that somebody should hear of it.
  virtual bool at_work() const = 0;

private:
  void dropped() override;
  void give_notice(const caf::error& reason);
  void linger();

  class return_bell;

  const chain_link link_;
  bool ending_ = false;
  bool nameless_ = false;  // nobody can be sent anything in its name any more
  caf::error reason_;
  std::weak_ptr<return_bell> left_;
};

}  // namespace fmap::actors
