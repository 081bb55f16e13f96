// SPDX-License-Identifier: BSD-3-Clause
// A pair of fences for two threads of which one passes often and the other rarely.
#pragma once

#include <atomic>

#include <fmap/detail/api.hpp>

namespace fmap::detail {

/// Whether heavy_fence() makes all running threads of the process pass a full fence (Linux:
/// membarrier(2), private expedited). Decided once, before main.
FMAP_API extern const bool fences_are_asymmetric;

/// Between a store and a load of the frequent side: keeps their order as heavy_fence() sees it. Costs
/// nothing where the kernel does the work for the rare side.
inline void light_fence() {
  if (fences_are_asymmetric)
    std::atomic_signal_fence(std::memory_order_seq_cst);
  else
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

/// Between a store and a load of the rare side. Of the two sides at least one sees the other's store.
FMAP_API void heavy_fence();

}  // namespace fmap::detail
