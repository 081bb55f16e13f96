// SPDX-License-Identifier: BSD-3-Clause
// Catch2, 3.x or 2.13, whichever there is.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#  include <catch2/catch_all.hpp>

// What 2.13 calls matchers of strings. In 3.x they are in Catch::Matchers alone, and Contains is about
// elements of a range, unless it is given a text.
namespace Catch {
namespace Matchers {
inline auto Contains(const char* text) { return ContainsSubstring(text); }
}  // namespace Matchers

inline auto Contains(const std::string& text) { return Matchers::ContainsSubstring(text); }
using Matchers::EndsWith;
using Matchers::Equals;
using Matchers::StartsWith;
}  // namespace Catch

#else
#  include <catch2/catch.hpp>
#endif
