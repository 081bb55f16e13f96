// SPDX-License-Identifier: BSD-3-Clause
// What must be the same for a run to be taken up, and a run that is taken up by its job log.
#pragma once

#include "tool/input/items.hpp"
#include "tool/options/options.hpp"
#include "tool/record/resume.hpp"

namespace fmap::tool {

/// The command and the options that decide what an item is and what is run for it.
fingerprint what_matters(const options& o);

/// What the job log says has been done is passed over, or with --retry-failed what failed is all that is run.
void take_up(item_reader& input, const options& o);

}  // namespace fmap::tool
