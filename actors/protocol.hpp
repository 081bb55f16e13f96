// SPDX-License-Identifier: BSD-3-Clause
// The messages between fmap's actors. docs/protocol.md mirrors this file.
#pragma once

#include <cstdint>

#include "actors/caf_compat.hpp"

/// The first type id of fmap's messages. Move it (for all of a program, the library included) if
/// another library claims the same ids.
#ifndef FMAP_FIRST_TYPE_ID
#  define FMAP_FIRST_TYPE_ID (caf::first_custom_type_id + 1000)
#endif

namespace fmap {

/// "You may send n more items." From a receiver to its upstream: as a doorbell within a process (then n
/// is 0 and the tokens lie in the shared mailbox), as a count between actors that exchange messages.
/// The receiver pulls or sends at most that many. Demand for a run that is over is ignored.
struct demand {
  std::uint64_t n = 0;
};

template <class Inspector>
auto inspect(Inspector& f, demand& x) {
  return actors::inspect_members(f, x, "fmap::demand", &demand::n);
}

}  // namespace fmap

namespace fmap::actors {

/// "There may be something for you in the shared mailbox." From whoever put it there to an idle worker
/// or to the supervisor, which visits the mailbox until it finds nothing. Superfluous ones do no harm.
struct wake {};

template <class Inspector>
auto inspect(Inspector& f, wake& x) {
  return inspect_members(f, x, "fmap::actors::wake");
}

/// "Look for what has been withheld too long." From the supervisor to itself, while workers hold batches
/// or sources gather items.
struct tick {};

template <class Inspector>
auto inspect(Inspector& f, tick& x) {
  return inspect_members(f, x, "fmap::actors::tick");
}

}  // namespace fmap::actors

CAF_BEGIN_TYPE_ID_BLOCK(fmap, FMAP_FIRST_TYPE_ID)
CAF_ADD_TYPE_ID(fmap, (fmap::demand))
CAF_ADD_TYPE_ID(fmap, (fmap::actors::wake))
CAF_ADD_TYPE_ID(fmap, (fmap::actors::tick))
CAF_END_TYPE_ID_BLOCK(fmap)
