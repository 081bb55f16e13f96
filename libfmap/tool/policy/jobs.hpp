// SPDX-License-Identifier: BSD-3-Clause
// How many jobs may run at a time by default.
#pragma once

#include <cstddef>

namespace fmap::tool {

/// The processors in our affinity mask, or fewer if a control group has a quota of processor time; at least 1.
std::size_t processors();

}  // namespace fmap::tool
