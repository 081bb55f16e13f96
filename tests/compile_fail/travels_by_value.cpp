// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the inspect overload for this type takes its object by value
#include <fmap/wire.hpp>

struct point {
  int x = 0;
};
template <class I>
auto inspect(I& f, point p) {
  return f(p.x);
}

int main() { return fmap::wire::encode(point{}).empty() ? 1 : 0; }
