// SPDX-License-Identifier: BSD-3-Clause
// A compiler that is too old is told so before anything else.
// expect first: fmap needs g\+\+ 12 or newer|fmap needs clang\+\+ 16 or newer

#ifdef __clang__
#  undef __clang_major__
#  define __clang_major__ 15
#else
#  undef __GNUC__
#  define __GNUC__ 11
#endif

#include <fmap/fmap.hpp>

int main() {}
