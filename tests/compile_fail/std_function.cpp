// SPDX-License-Identifier: BSD-3-Clause
// A std::function cannot be sent to another process.
// expect: a std::function hides what it calls

#include <fmap/detail/travelling_function.hpp>

int main() { return fmap::detail::require_function_travels<std::function<int(int)>>() ? 0 : 1; }
