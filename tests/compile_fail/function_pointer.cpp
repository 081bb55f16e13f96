// SPDX-License-Identifier: BSD-3-Clause
// A function pointer cannot be sent to another process.
// expect: Write fmap::fn<&function> instead

#include <fmap/detail/travelling_function.hpp>

int twice(int x) { return 2 * x; }

int main() { return fmap::detail::require_function_travels<decltype(&twice)>() ? twice(1) : 0; }
