// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: wait\(\) and as_completed\(\) take a range of fmap::future
#include <vector>

#include <fmap/fmap.hpp>

void use(std::vector<int>& xs) { fmap::wait(xs); }
