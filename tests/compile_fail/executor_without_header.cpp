// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: pool\.executor\(\) is an executor of Asio's: include <fmap/asio\.hpp>
#include <fmap/fmap.hpp>

void use(fmap::thread_pool& pool) { pool.executor(); }
