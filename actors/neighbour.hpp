// SPDX-License-Identifier: BSD-3-Clause
// An actor that another one exchanges messages with, and does not keep alive.
#pragma once

#include <caf/actor_cast.hpp>

#include "actors/protocol.hpp"

namespace fmap::actors {

/// The upstream or downstream of an actor. Its end is told to that actor by neighbour_gone.
class neighbour {
public:
  void attach(caf::event_based_actor* self, const caf::actor& who) {
    who_ = who.address();
    who->attach_functor([me = self->address(), who = who_](const caf::error& reason) {
      if (const auto to = caf::actor_cast<caf::actor>(me)) post(to, neighbour_gone{who, reason});
    });
  }

  void detach() { who_ = nullptr; }

  explicit operator bool() const { return who_ != nullptr; }

  /// Whether the message at hand is from it.
  bool sent(caf::event_based_actor* self) const {
    return who_ != nullptr && is(caf::actor_cast<caf::actor_addr>(self->current_sender()));
  }
  bool is(const caf::actor_addr& other) const { return who_ == other; }

  template <class Message>
  void tell(caf::event_based_actor* self, Message content) const {
    if (const auto to = caf::actor_cast<caf::actor>(who_)) send(self, to, std::move(content));
  }

  /// The same from nobody, for an actor that is about to be no more.
  template <class Message>
  void tell_at_last(Message content) const {
    if (const auto to = caf::actor_cast<caf::actor>(who_)) post(to, std::move(content));
  }

private:
  caf::actor_addr who_;
};

/// The sender of the message at hand; null if it has none.
inline caf::actor sender_of_message(caf::event_based_actor* self) {
  return caf::actor_cast<caf::actor>(self->current_sender());
}

/// Answers the message at hand with an error.
inline void refuse(caf::event_based_actor* self, caf::sec code, const std::string& why) {
  self->make_response_promise().deliver(caf::make_error(code, "fmap: " + why));
}

/// The reason of an end that others did not expect, be it a normal one or that of an actor without handles.
inline caf::error end_of(const caf::error& reason, const std::string& whose) {
  if (reason && reason != caf::exit_reason::normal && reason != caf::exit_reason::unreachable)
    return reason;
  return caf::make_error(caf::sec::runtime_error,
                         "fmap: " + whose + " ended before its work was done");
}

}  // namespace fmap::actors
