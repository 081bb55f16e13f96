// SPDX-License-Identifier: BSD-3-Clause
// Some consecutive items of one run, and the names of runs and workers.
#pragma once

#include <cstdint>
#include <limits>

namespace fmap::kernel {

using run_id =
    std::uint64_t;  // never reused: 0 means any run, and some runs last as long as their pool
using worker_id = std::uint32_t;

/// A run without a bound of its own (single tasks) has this many tokens.
inline constexpr std::uint64_t unbounded = std::numeric_limits<std::uint64_t>::max() / 2;

/// Some consecutive items of one run that lie side by side in one chunk of storage. What becomes of
/// them is decided for the span as a whole or for parts of it; an item keeps its index for good.
struct span {
  run_id run = 0;
  std::uint32_t chunk = 0;  ///< where the items are stored; opaque to the ledger
  std::uint32_t count = 0;  ///< 0: no span at all
  std::uint64_t first = 0;  ///< index of the first item
  bool alone = false;       ///< a suspect: travels in a batch of its own

  std::uint64_t end() const { return first + count; }
  explicit operator bool() const { return count != 0; }
};

inline bool adjacent(const span& a, const span& b) {
  return a.chunk == b.chunk && a.end() == b.first && !a.alone && !b.alone;
}

/// The items [first, end) of a span, or of what is derived from one.
template <class Span>
Span part(const Span& whole, std::uint64_t first, std::uint64_t end) {
  Span result = whole;
  result.first = first;
  result.count = static_cast<std::uint32_t>(end - first);
  return result;
}

}  // namespace fmap::kernel
