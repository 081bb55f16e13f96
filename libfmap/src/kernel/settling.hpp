// SPDX-License-Identifier: BSD-3-Clause
// What follows when items are finished: what they cost, who is told, and what is taken from a batch before its end.
#pragma once

#include <cstdint>

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

/// Works out anew what is worth while in a run.
void recompute_tempo(visit&, run&);

/// Items of a run have become ready: all that follows from that, other than the tick's work.
void settle_ready(visit&, run&);

/// Where outcomes have been delivered already, they are taken as soon as they are ready.
void take_delivered(visit&, run&);

/// Items are done that a worker of this id held: they are ready, but for those that have failed and are to be tried again.
/// Returns how many left the worker.
std::uint32_t finish(visit&, run&, worker_id, std::uint64_t first, std::uint32_t count,
                     clock::duration took, bool measured_well);

/// Queues items that were put off, and are due by then.
void resume_due(visit&, clock::time_point now);

/// Items are done that a worker of this id held, and took so long in all; 0: nobody knows.
void report_finished(visit&, run&, worker_id, std::uint64_t first, std::uint32_t count,
                     clock::duration took);

/// The consumer may have made results current that the ledger has not heard of.
void count_taken(visit&, run&);

/// An item should have been done by now, going by what it was expected to cost.
void distrust_estimate(visit&, run&);

/// What has been delivered of a batch that is one call is ready, but for its last item: that one stays, so that the run
/// is not over while the worker is still in its job. Nothing is taken from the worker that has not been delivered. Returns
/// how many items it was.
std::uint32_t settle_delivered(visit&, worker&);

/// Takes from a worker all but the item it has claimed: what it has finished becomes ready, what has
/// not begun goes back to the queue. One item always stays, so that the run is not over while the worker
/// is still in its job.
void split(visit&, worker&);
void split_batches(visit&, run&);

/// Stops a run.
void halt(visit&, run&);

/// There may be so many workers from now on.
void resize_staff(visit&, std::uint32_t workers);

/// The user says how many items may be in flight. False: the run is over, or its input is.
bool resize_bound(visit&, run&, std::uint64_t buffersize);

}  // namespace fmap::kernel
