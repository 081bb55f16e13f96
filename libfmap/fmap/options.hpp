// SPDX-License-Identifier: BSD-3-Clause
// What can be set for one map, and the figures it reports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>

#include <fmap/detail/duration.hpp>
#include <fmap/retry.hpp>

namespace fmap {

class journal;

/// Options of one map. Checked when the map is made: what makes no sense there throws
/// `std::invalid_argument` and names the option.
struct map_options {
  /// At most this many items are in flight: pulled from the input and their results not yet taken. At
  /// least 1. Left out, it is chosen: a few items per worker, up to 1024 if items prove to be tiny.
  std::optional<std::size_t> buffersize{};

  /// Items per batch, from 1 to `buffersize`. Left out, batches are sized by the measured cost of an
  /// item so that one lasts about 75 microseconds.
  std::optional<std::size_t> chunksize{};

  /// Hand out results in input order. The bound stays the same, so a slow item delays those after it.
  bool ordered = false;

  /// From the start of the iteration; when it has passed and no result is ready, the iteration throws
  /// `timeout_error`. 0: only what is ready. Negative: refused. Any duration; 100 years and more are no limit.
  std::optional<detail::any_duration> timeout{};

  /// For executors that can kill their workers: how long one item may run. Its outcome is then the
  /// error `item_timeout`. Refused on threads, which cannot be killed. Any duration, as above.
  std::optional<detail::any_duration> item_timeout{};

  /// After how many deaths of a worker that was running it an item is given up: `worker_lost`. An item that had
  /// finished when its worker died, and was not delivered yet, counts as well. One that had not begun, or whose worker
  /// was killed for another item's time, does not. With 1 nothing that may have had an effect is run again. At least 1.
  unsigned max_attempts = 3;

  /// When a stop is requested the iteration ends: no more pulls, what is not yet taken is dropped.
  std::stop_token stop{};

  /// Try items again whose function threw; left out, an item that has failed has failed. Only on pools.
  std::optional<retry_policy> retry{};

  /// Where outcomes are recorded, so that a program that was killed goes on where it was; see <fmap/journal.hpp>. It
  /// lives as long as the map. Null: nothing is recorded.
  fmap::journal* journal = nullptr;

  /// Keep a copy of each item until its outcome has been taken, for `outcome::item()`: at most `buffersize` copies.
  /// Items that cannot be copied are refused.
  bool keep_items = false;
};

/// What has become of the items of a map, all read at the same moment:
/// `pulled == queued + running + waiting + ready + taken + dropped`.
struct map_stats {
  std::size_t buffersize = 0;          ///< the bound in force
  std::uint64_t pulled = 0;            ///< items pulled from the input
  std::uint64_t queued = 0;            ///< waiting for a worker
  std::uint64_t running = 0;           ///< held by workers
  std::uint64_t ready = 0;             ///< finished, not yet taken
  std::uint64_t taken = 0;             ///< results the consumer has taken
  std::uint64_t failed = 0;            ///< outcomes that are errors
  std::uint64_t retried = 0;           ///< executions repeated because their worker died
  std::uint64_t quarantined = 0;       ///< items given up because they kept killing their worker
  std::uint64_t in_flight = 0;         ///< queued + running + waiting + ready
  std::uint64_t peak_in_flight = 0;    ///< the most that were in flight at once
  std::uint64_t dropped = 0;           ///< pulled but not delivered, because the map was stopped
  std::chrono::nanoseconds elapsed{};  ///< since the map was made
  std::uint64_t waiting = 0;           ///< have failed, and will be tried again after a pause
  std::size_t workers = 0;             ///< of the pool now; 0: a map without a pool
  std::optional<std::uint64_t>
      total{};  ///< the size of the input, if it has begun and is a sized range
};

/// What a pool's handle does with a request when it works on as many as it may.
enum when_full_policy {
  answer_with_error,  ///< at once
  wait_for_room       ///< the request waits its turn
};

/// Options of basic_executor::handle().
struct handle_options {
  /// Requests that are worked on at a time, at least 1. Left out: four for each worker, at least 16.
  std::optional<std::size_t> buffersize{};
  when_full_policy when_full = answer_with_error;
};

}  // namespace fmap
