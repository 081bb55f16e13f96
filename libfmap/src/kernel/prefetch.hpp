// SPDX-License-Identifier: BSD-3-Clause
// Cache lines asked for before they are written.
#pragma once

#include <algorithm>
#include <cstddef>

namespace fmap::kernel {

/// Begins to fetch the memory [begin, end), at most a page of it, from whichever core wrote it last.
/// A store waits for its line, and each later store for it; what is asked for here comes all at a time.
inline void fetch_for_writing(const void* begin, const void* end) {
  constexpr std::ptrdiff_t cache_line = 64, most = 4096;
  const auto* const first = static_cast<const char*>(begin);
  const auto bytes = std::min(static_cast<const char*>(end) - first, most);
  for (std::ptrdiff_t at = 0; at < bytes; at += cache_line) {
    const char* const p = first + at;
#if defined(__x86_64__)
    // Without further options compilers make of the builtin a prefetch for reading.
    asm volatile("prefetchw %0" : : "m"(*p));
#else
    __builtin_prefetch(p, 1);
#endif
  }
}

}  // namespace fmap::kernel
