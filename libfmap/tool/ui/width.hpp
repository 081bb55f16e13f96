// SPDX-License-Identifier: BSD-3-Clause
// How much of a terminal's line a text takes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fmap::tool {

/// The columns that it takes: East Asian characters and emoji take two, combining ones none. What is no UTF-8 takes one
/// for each byte, as all does if the terminal's text is not `utf8`.
std::size_t columns_of(std::string_view text, bool utf8);

/// As much of the text as there is room for in so many columns; no character is cut in two.
std::string fit(std::string_view text, std::size_t columns, bool utf8);

}  // namespace fmap::tool
