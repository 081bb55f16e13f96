// SPDX-License-Identifier: BSD-3-Clause
// An actor that another one exchanges messages with, and does not keep alive.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <caf/actor_cast.hpp>

#include "protocol.hpp"  // beside this file, also where it is installed

namespace fmap::actors {

/// Tells an actor of another one's end by neighbour_gone, once.
class watch final : public epilogue {
public:
  /// `place` tells watches apart that one actor has upon another.
  watch(caf::actor_addr who, caf::actor_addr tells, const void* place)
      : who_{std::move(who)}, tells_{std::move(tells)}, place_{place} {}

  void at_end(const caf::error& reason) override {
    const auto to = caf::actor_cast<caf::actor>(std::exchange(tells_, nullptr));
    if (to) post(to, neighbour_gone{who_, reason});
  }

  static constexpr const void* anywhere = nullptr;
  static caf::attachable::token at(const void* place) { return {kind, place}; }
  bool matches(const caf::attachable::token& what) override {
    return what.subtype == kind && (what.ptr == place_ || what.ptr == anywhere);
  }

private:
  static constexpr std::size_t kind = 0xf3a9;  // none of CAF's

  const caf::actor_addr who_;
  caf::actor_addr tells_;
  const void* const place_;
};

/// The upstream or downstream of an actor. Its end is told to that actor by neighbour_gone.
class neighbour {
public:
  neighbour() = default;
  neighbour(const neighbour&) = delete;
  neighbour& operator=(const neighbour&) = delete;
  ~neighbour() { detach(); }

  void attach(caf::event_based_actor* self, const caf::actor& who) {
    who_ = who.address();
    who->attach(std::make_unique<watch>(who_, self->address(), this));
  }

  /// Nothing of this stays with an actor that lives on.
  void detach() {
    if (const auto who = caf::actor_cast<caf::actor>(std::exchange(who_, nullptr)))
      who->detach(watch::at(this));
  }

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

/// The upstream of a receiver: announced by connect() or not, it attaches itself once.
class item_sender : public neighbour {
public:
  /// connect() has announced it: from now on its end is known.
  void expect(caf::event_based_actor* self, const caf::actor& who) {
    if (!*this && who) attach(self, who);
  }

  /// It has attached itself: true. False: there is, or is to be, another one.
  bool arrives(caf::event_based_actor* self, const caf::actor& who) {
    if (here_ || (*this && !is(who.address()))) return false;
    if (!*this) attach(self, who);
    return here_ = true;
  }

  /// Whether it may be sent demand.
  bool here() const { return here_ && *this; }

private:
  bool here_ = false;
};

/// Answers the message at hand with an error.
inline void refuse(caf::event_based_actor* self, caf::sec code, const std::string& why) {
  self->make_response_promise().deliver(caf::make_error(code, "fmap: " + why));
}

/// The reason of an end that others did not expect, be it a normal one or that of an actor without handles.
inline caf::error end_of(const caf::error& reason, const std::string& whose) {
  const bool dropped = reason == caf::exit_reason::unreachable;
  if (reason && reason != caf::exit_reason::normal && !dropped) return reason;
  return caf::make_error(
      caf::sec::runtime_error,
      "fmap: " + whose + " ended before its work was done"
          + (dropped ? ": nobody has a handle to it any more, keep one until it has ended" : ""));
}

}  // namespace fmap::actors
