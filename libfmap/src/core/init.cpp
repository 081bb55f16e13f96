// SPDX-License-Identifier: BSD-3-Clause
// The first call of a program that uses fmap.

#include <fmap/init.hpp>

namespace fmap {

void init(int /*argc*/, char** /*argv*/) {}

}  // namespace fmap
