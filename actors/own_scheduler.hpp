// SPDX-License-Identifier: BSD-3-Clause
// How the actor system of fmap's own gets its threads.
#pragma once

#include <exception>

#include "actors/caf_compat.hpp"

namespace fmap::actors {

/// CAF ends the program when a thread of a system that it is building cannot be created. With this a system is built
/// all the same and `failed`, which has to live as long, tells why it must not be used; with CAF 1.1 this throws the
/// std::system_error.
void schedule_safely(caf::actor_system_config&, std::exception_ptr& failed);

}  // namespace fmap::actors
