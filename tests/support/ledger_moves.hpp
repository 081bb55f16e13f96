// SPDX-License-Identifier: BSD-3-Clause
// Short words for what happens to a ledger.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "src/kernel/ledger.hpp"

namespace testing {

using fmap::kernel::ledger;
using fmap::kernel::run_id;
using fmap::kernel::run_limits;
using fmap::kernel::span;
using fmap::kernel::worker_id;

inline constexpr std::uint32_t plenty = 1u << 20;

/// A source that uses `n` tokens at once.
inline void pull(ledger& l, run_id run, std::uint32_t n, std::uint32_t chunk = 0) {
  l.pulled(run, chunk, static_cast<std::uint32_t>(l.grant(run, n)));
}

inline std::uint32_t finish(ledger& l, worker_id w, const span& s, ledger::duration took = {}) {
  return l.finished(w, s.run, s.first, s.count, took);
}

/// The indices of all outcomes that are ready, in the order in which they are handed out; all taken.
inline std::vector<std::uint64_t> take_ready(ledger& l, run_id run) {
  std::vector<std::uint64_t> result;
  while (const span s = l.next_ready(run)) {
    for (std::uint64_t i = s.first; i != s.end(); ++i) result.push_back(i);
    l.taken(run, s.count);
  }
  return result;
}

/// Lets a worker finish batches until a run's items are known to cost this much.
inline void teach(ledger& l, worker_id w, run_id run, ledger::duration cost) {
  for (int i = 0; i != 4000; ++i) {
    pull(l, run, plenty);
    const span s = l.take(w);
    finish(l, w, s, s.count * cost);
    take_ready(l, run);
    if (i > 20 && l.cost(run) == cost) break;
  }
}

/// All that the worker is given, batch by batch.
inline std::vector<span> take_all(ledger& l, worker_id w) {
  std::vector<span> result;
  while (const span s = l.take(w)) result.push_back(s);
  return result;
}

}  // namespace testing
