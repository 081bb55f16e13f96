// SPDX-License-Identifier: BSD-3-Clause
// How a run's items get in: from tokens to slots, from its input into them, and from there into the queue.
#pragma once

#include <cstdint>

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

/// Up to where the open chunk may be filled; opens one and asks for tokens as needed. Equal to `in.filled`: there is
/// no token.
std::uint32_t fillable(visit&, run&);

/// Pulls what is granted, or as many items as are pulled at a time. The user's iterator runs outside.
void fetch(visit&, run&);

/// The same for a worker. What goes wrong ends the input.
void fetch_at_hand(visit&, run&);

/// Queues what has been pulled up to `filled`, unless somebody already has.
void publish(visit&, run&, std::uint32_t filled);

/// Queues what a source has pulled so far while it is still pulling.
void publish_progress(visit&, run&);

/// Lets who pulls publish after this many items, and queues what it has pulled so far. Between the two it either sees
/// the one, or its item is seen by the other.
void hurry_source(visit&, run&, std::uint32_t flush_every);

/// Nobody will pull any more.
void close_intake(visit&, run&);

/// Ends a run's input from outside.
void cut(visit&, run&);

}  // namespace fmap::kernel
