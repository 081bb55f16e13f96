// SPDX-License-Identifier: BSD-3-Clause
// So is one that compiles as C++17.
// expect first: fmap needs C\+\+20
#pragma GCC diagnostic ignored "-Wbuiltin-macro-redefined"
#undef __cplusplus
#define __cplusplus 201703L

#include <fmap/future.hpp>

int main() {}
