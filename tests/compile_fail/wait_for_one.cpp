// SPDX-License-Identifier: BSD-3-Clause
// expect first: to wait for one future f, write f\.wait\(\)
#include <fmap/fmap.hpp>

void use(const fmap::future<int>& f) { fmap::wait(f, fmap::first_completed); }
