// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: a std::shared_ptr cannot be shared
#include <memory>

#include <fmap/wire.hpp>

int main() { return fmap::wire::encode(std::shared_ptr<int>{}).empty() ? 1 : 0; }
