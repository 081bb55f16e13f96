// SPDX-License-Identifier: BSD-3-Clause
// What is measured of functions over batches; fmap_bench_figures prints it.
#pragma once

namespace bench {

/// Time of two co-processes that answer line by line, through fmap::on_batches with 256 items in a call; divided by that
/// of two threads with a loop each, which asks 256 times and then reads 256 answers.
double coprocesses_against_loops();

}  // namespace bench
