// SPDX-License-Identifier: BSD-3-Clause
// A copy of this process' environment.
#pragma once

#include <string>
#include <vector>

namespace fmap::remote {

/// The environment as it is now, with some of it replaced or added. Other threads may be changing it: what they
/// set meanwhile is in the copy or is not.
std::vector<std::string> environment_with(const std::vector<std::string>& more);

}  // namespace fmap::remote
