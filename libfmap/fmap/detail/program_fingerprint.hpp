// SPDX-License-Identifier: BSD-3-Clause
// Whether two processes run the same program.
#pragma once

#include <cstdint>
#include <string>

#include <fmap/detail/api.hpp>

namespace fmap::detail {

/// Changes when what processes say to each other changes.
inline constexpr std::uint32_t protocol_version = 4;

/// Equal if and only if both processes run the same build of the same executable with the same version
/// of the protocol; printable. It is the executable's GNU build id or, if it was linked without one, a
/// hash of the file. Libraries that it loads are not looked at.
FMAP_API const std::string& program_fingerprint();

}  // namespace fmap::detail
