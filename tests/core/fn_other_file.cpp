// SPDX-License-Identifier: BSD-3-Clause
// A second file with functions named as in fn_test.cpp.

#define FMAP_TEST_FILE_NUMBER 2000
#include <fmap/fn.hpp>

#include "support/registered_call.hpp"

namespace {

int shift(int x) { return x << 2; }

}  // namespace

namespace other_file {

std::unique_ptr<testing::call> lambda() { return testing::send(testing::local_lambda()); }
std::unique_ptr<testing::call> function() { return testing::send(fmap::fn<&shift>); }

}  // namespace other_file
