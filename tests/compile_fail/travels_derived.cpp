// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the inspect overload that is found for this type takes a base class
#include <fmap/wire.hpp>

struct base {
  int id = 0;
};
template <class I>
auto inspect(I& f, base& x) {
  return f(x.id);
}
struct derived : base {
  int more = 0;
};

int main() { return fmap::wire::encode(derived{}).empty() ? 1 : 0; }
