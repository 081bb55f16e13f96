// SPDX-License-Identifier: BSD-3-Clause
// A map that is made in a file that does not know journals.
#pragma once

#include <fmap/options.hpp>
#include <fmap/thread_pool.hpp>

void map_elsewhere(fmap::thread_pool&, const fmap::map_options&);
