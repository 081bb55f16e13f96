// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: a timeout has a unit: write 2s
#include <fmap/fmap.hpp>

int use(const fmap::future<int>& f) { return f.get(2); }
