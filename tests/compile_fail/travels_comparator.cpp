// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: the comparator or hash of this container has members
#include <set>

#include <fmap/wire.hpp>

using by_pointer = std::set<int, bool (*)(int, int)>;

int main() { return fmap::wire::encode(by_pointer{nullptr}).empty() ? 1 : 0; }
