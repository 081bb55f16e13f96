// SPDX-License-Identifier: BSD-3-Clause
// One run of the tool, from its options to its exit status.
#pragma once

#include "tool/options/options.hpp"

namespace fmap::tool {

/// Runs the commands; dies of a signal where that is how a run ends. Throws usage_error before anything is run.
int run(const options& o);

}  // namespace fmap::tool
