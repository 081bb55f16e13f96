// SPDX-License-Identifier: BSD-3-Clause
// A value without inspect cannot be sent to another process; the message names the innermost type.
// expect: auto inspect\(Inspector& f, T& x\).*travels_as_bytes<T> = true

#include <map>
#include <vector>

#include <fmap/wire.hpp>

struct plain {
  int a = 0;
};

int main() { return fmap::wire::encode(std::map<int, std::vector<plain>>{}).empty() ? 1 : 0; }
