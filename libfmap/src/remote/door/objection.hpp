// SPDX-License-Identifier: BSD-3-Clause
// Why somebody may not be a node of the pool's.
#pragma once

#include <string>

#include "src/remote/door/node_shared.hpp"

namespace fmap::remote {

/// Empty if it may.
std::string objection(const frames::hello&, const node_settings&);

/// A node of that name is here.
std::string name_taken(const std::string& name);

}  // namespace fmap::remote
