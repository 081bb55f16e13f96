// SPDX-License-Identifier: BSD-3-Clause
// Which fmap this is.

#include <fmap/version.hpp>

#define FMAP_JOINED(name, major, minor) name##major##_##minor
#define FMAP_LIBRARY(major, minor) FMAP_JOINED(library_, major, minor)

namespace fmap {

int version() noexcept { return FMAP_VERSION; }

namespace detail {

const char FMAP_LIBRARY(FMAP_VERSION_MAJOR, FMAP_VERSION_MINOR) = 0;

}  // namespace detail

}  // namespace fmap
