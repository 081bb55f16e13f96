// SPDX-License-Identifier: BSD-3-Clause
// What the options of worker processes mean.
#pragma once

#include <fmap/process_pool.hpp>

#include "src/remote/process_shared.hpp"

namespace fmap {

/// All but how many there are. Throws std::invalid_argument.
remote::process_settings settings_of(const process_pool_options&);

}  // namespace fmap
