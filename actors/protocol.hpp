// SPDX-License-Identifier: BSD-3-Clause
// The messages between fmap's actors. docs/protocol.md mirrors this file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>

#include "caf_compat.hpp"  // beside this file, also where it is installed

/// The first type id of fmap's messages. Move it (for all of a program, the library included) if
/// another library claims the same ids.
#ifndef FMAP_FIRST_TYPE_ID
#  define FMAP_FIRST_TYPE_ID (caf::first_custom_type_id + 1000)
#endif

namespace fmap {

/// "You may send n more items." From a receiver to its upstream. As a doorbell within a process n is 0 and
/// the tokens lie in the shared mailbox. Demand adds up; 0 adds nothing.
struct demand {
  std::uint64_t n = 0;
};

template <class Inspector>
auto inspect(Inspector& f, demand& x) {
  return actors::inspect_members(f, x, "fmap::demand", &demand::n);
}

/// "I am going to send you items." From an upstream to a receiver, which answers with demand.
/// One of fmap's says what type the items are of; left empty, nobody checks it.
struct attach_source {
  std::string items{};
};

template <class Inspector>
auto inspect(Inspector& f, attach_source& x) {
  return actors::inspect_members(f, x, "fmap::attach_source", &attach_source::items);
}

/// "Send your items to me." From a downstream to a sender, which waits for its demand.
struct attach_sink {};

template <class Inspector>
auto inspect(Inspector& f, attach_sink& x) {
  return actors::inspect_members(f, x, "fmap::attach_sink");
}

/// "The item with this index failed." From a sender to its downstream, instead of a result; uses up
/// demand as one.
struct failure {
  std::uint64_t index = 0;
  std::string what;
};

template <class Inspector>
auto inspect(Inspector& f, failure& x) {
  return actors::inspect_members(f, x, "fmap::failure", &failure::index, &failure::what);
}

/// "There are no more items." From a sender to its downstream, last. The reason is empty if all is well.
struct end {
  caf::error reason;
};

template <class Inspector>
auto inspect(Inspector& f, end& x) {
  return actors::inspect_members(f, x, "fmap::end", &end::reason);
}

/// "Send nothing more: nobody wants it." From a receiver to its upstream, last.
struct stop {
  caf::error reason;
};

template <class Inspector>
auto inspect(Inspector& f, stop& x) {
  return actors::inspect_members(f, x, "fmap::stop", &stop::reason);
}

/// "Attach yourself to this one, and send it your items." What connect() tells a sender.
struct send_to {
  caf::actor downstream;
};

template <class Inspector>
auto inspect(Inspector& f, send_to& x) {
  return actors::inspect_members(f, x, "fmap::send_to", &send_to::downstream);
}

/// "This one is going to send you items; whatever becomes of it, you will hear of it." What connect() tells
/// a receiver of fmap's.
struct receive_from {
  caf::actor upstream;
};

template <class Inspector>
auto inspect(Inspector& f, receive_from& x) {
  return actors::inspect_members(f, x, "fmap::receive_from", &receive_from::upstream);
}

}  // namespace fmap

namespace fmap::detail {
class call;
}

namespace fmap::actors {

/// "There may be something for you in the shared mailbox." From whoever put it there to an idle worker, to
/// the supervisor, or to a stage, sink or handle (which also sends it to itself, behind the items that are
/// arriving); they visit the mailbox until they find nothing. Superfluous ones do no harm.
struct wake {};

template <class Inspector>
auto inspect(Inspector& f, wake& x) {
  return inspect_members(f, x, "fmap::actors::wake");
}

/// "Look for what has been withheld too long." From the supervisor to itself, while workers hold batches
/// or sources gather items. Only the one that was sent last counts.
struct tick {
  std::uint64_t number = 0;
};

template <class Inspector>
auto inspect(Inspector& f, tick& x) {
  return inspect_members(f, x, "fmap::actors::tick", &tick::number);
}

/// "Look whether there should be more workers, or fewer." From the supervisor of a pool that may grow to itself, while
/// items wait or more workers than at rest are there. Only the one that was sent last counts.
struct adapt {
  std::uint64_t number = 0;
};

template <class Inspector>
auto inspect(Inspector& f, adapt& x) {
  return inspect_members(f, x, "fmap::actors::adapt", &adapt::number);
}

/// "This actor has ended." From an actor's end to a neighbour of its; within a process.
struct neighbour_gone {
  caf::actor_addr who;
  caf::error reason;
};

template <class Inspector>
auto inspect(Inspector& f, neighbour_gone& x) {
  return inspect_members(f, x, "fmap::actors::neighbour_gone", &neighbour_gone::who,
                         &neighbour_gone::reason);
}

/// "End, for this reason." An exit or error message that an actor of fmap's was sent, as it reaches it.
struct end_order {
  caf::error reason;
  caf::actor_addr who;  // who ended, or who sent the error
  bool by_error = false;
};

template <class Inspector>
auto inspect(Inspector& f, end_order& x) {
  return inspect_members(f, x, "fmap::actors::end_order", &end_order::reason, &end_order::who,
                         &end_order::by_error);
}

/// "Ask for me." From a map over an actor to its requester; within a process.
struct errand {
  std::shared_ptr<detail::call> what;
};

}  // namespace fmap::actors

CAF_BEGIN_TYPE_ID_BLOCK(fmap, FMAP_FIRST_TYPE_ID)
CAF_ADD_TYPE_ID(fmap, (fmap::demand))
CAF_ADD_TYPE_ID(fmap, (fmap::attach_source))
CAF_ADD_TYPE_ID(fmap, (fmap::attach_sink))
CAF_ADD_TYPE_ID(fmap, (fmap::failure))
CAF_ADD_TYPE_ID(fmap, (fmap::end))
CAF_ADD_TYPE_ID(fmap, (fmap::stop))
CAF_ADD_TYPE_ID(fmap, (fmap::send_to))
CAF_ADD_TYPE_ID(fmap, (fmap::receive_from))
CAF_ADD_TYPE_ID(fmap, (fmap::actors::wake))
CAF_ADD_TYPE_ID(fmap, (fmap::actors::tick))
CAF_ADD_TYPE_ID(fmap, (fmap::actors::neighbour_gone))
CAF_ADD_TYPE_ID(fmap, (fmap::actors::end_order))
CAF_ADD_TYPE_ID(fmap, (fmap::actors::errand))
CAF_ADD_TYPE_ID(fmap, (fmap::actors::adapt))
CAF_END_TYPE_ID_BLOCK(fmap)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fmap::actors::errand)
