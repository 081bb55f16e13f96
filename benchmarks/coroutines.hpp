// SPDX-License-Identifier: BSD-3-Clause
// What is measured of coroutines; fmap_bench_figures prints it.
#pragma once

namespace bench {

/// Nanoseconds of an await of a future that is done.
double await_of_ready();

/// Time of coroutines through a map, 64 at a time, each of which awaits two tasks of a pool; divided by that of the same
/// program written with callbacks.
double coroutines_against_callbacks();

/// Seconds of 1000 coroutines of Asio's that sleep 10 ms each, 50 at a time; not a number if there are none.
double asio_sleepers();

}  // namespace bench
