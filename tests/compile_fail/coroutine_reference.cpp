// SPDX-License-Identifier: BSD-3-Clause
// expect: fmap: a coroutine returns fmap::future of a value or of void.*std::reference_wrapper|fmap: a future holds a value or void
#include <fmap/coroutine.hpp>

fmap::future<int&> same(int& x) { co_return x; }
