// SPDX-License-Identifier: BSD-3-Clause
// A lambda with captures cannot be sent to another process.
// expect: this function has state \(a lambda with captures\?\).*function object with members

#include <fmap/detail/travelling_function.hpp>

int main() {
  int by = 2;
  auto scale = [by](int x) { return by * x; };
  return fmap::detail::require_function_travels<decltype(scale)>() ? scale(1) : 0;
}
