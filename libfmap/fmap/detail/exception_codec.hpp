// SPDX-License-Identifier: BSD-3-Clause
// Exceptions as bytes.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include <fmap/detail/api.hpp>
#include <fmap/wire.hpp>

namespace fmap::detail {

/// What can be told of an exception that was thrown in this process; one that came from another
/// process keeps its origin. Empty if there is no memory for it.
FMAP_API std::string encode_exception(const std::exception_ptr&, std::string_view host,
                                      int pid) noexcept;

/// The exception told of; it derives from remote_origin. Null if the bytes are malformed, and then the
/// reader has failed.
FMAP_API std::exception_ptr decode_exception(wire::reader&) noexcept;

}  // namespace fmap::detail
