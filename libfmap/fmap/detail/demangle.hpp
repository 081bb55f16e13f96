// SPDX-License-Identifier: BSD-3-Clause
// Type names as people write them.
#pragma once

#include <string>
#include <typeinfo>

#include <fmap/detail/api.hpp>

namespace fmap::detail {

/// The name of a type as it is written in C++, as far as the compiler's runtime can tell.
FMAP_API std::string type_name(const std::type_info&);

}  // namespace fmap::detail
