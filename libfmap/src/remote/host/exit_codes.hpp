// SPDX-License-Identifier: BSD-3-Clause
// How a node exits.
#pragma once

namespace fmap::remote {

inline constexpr int exit_left = 0;        ///< the pool let it go, or is gone
inline constexpr int exit_broken = 1;      ///< it could not work, or was sent nonsense
inline constexpr int exit_usage = 2;       ///< wrong flags
inline constexpr int exit_refused = 3;     ///< not to be started again
inline constexpr int exit_unreached = 75;  ///< no pool could be reached for too long

}  // namespace fmap::remote
