// SPDX-License-Identifier: BSD-3-Clause
// What every public header includes: whether the compiler will do, and what the library exports.
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 12
#  error "fmap needs g++ 12 or newer, or clang++ 16 or newer"
#endif

#if __cplusplus < 202002L
#  error "fmap needs C++20: compile with -std=c++20"
#endif

#include <version>

// clang 15 and older do not understand the ranges of g++'s standard library, which is too old itself before 12.
#if defined(__clang__) && defined(__GLIBCXX__) && (__clang_major__ < 16 || _GLIBCXX_RELEASE < 12)
#  error "fmap needs clang++ 16 or newer, with libstdc++ 12 or newer"
#endif

#include <fmap/version.hpp>

/// Everything else of the library is hidden in a shared one.
#define FMAP_API __attribute__((visibility("default")))
