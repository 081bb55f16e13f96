// SPDX-License-Identifier: BSD-3-Clause
// How many jobs may run at a time by default.
#pragma once

#include <cstddef>
#include <string>

namespace fmap::tool {

/// The processors in our affinity mask, or fewer if a control group has a quota of processor time; at least 1.
std::size_t processors();

/// Our control group of version 2, from the root of its file system; empty if there is none.
std::string control_group();

}  // namespace fmap::tool
