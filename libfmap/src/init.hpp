// SPDX-License-Identifier: BSD-3-Clause
// Whether this program can be started as a worker process.
#pragma once

namespace fmap::detail {

bool init_was_called();

}  // namespace fmap::detail
