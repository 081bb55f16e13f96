// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: this class is derived from a container
#include <vector>

#include <fmap/wire.hpp>

struct matrix : std::vector<double> {
  int rows = 0;
};

int main() { return fmap::wire::encode(matrix{}).empty() ? 1 : 0; }
