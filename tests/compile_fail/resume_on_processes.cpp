// SPDX-License-Identifier: BSD-3-Clause
// expect first: fmap: a coroutine goes on in a thread of this process: resume_on\(pool\) takes a thread_pool
#include <fmap/coroutine.hpp>
#include <fmap/process_pool.hpp>

fmap::future<void> go(fmap::process_pool& pool) { co_await fmap::resume_on(pool); }
