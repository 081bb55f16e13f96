// SPDX-License-Identifier: BSD-3-Clause
// Catch2, 3.x or 2.13, whichever there is.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#  include <catch2/catch_all.hpp>
#else
#  include <catch2/catch.hpp>
#endif
