// SPDX-License-Identifier: BSD-3-Clause
// Whether memory is watched by a sanitizer, which keeps freed memory for a while and is slow.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define FMAP_MEMORY_IS_WATCHED 1
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#    define FMAP_MEMORY_IS_WATCHED 1
#  endif
#endif

#ifndef FMAP_MEMORY_IS_WATCHED
#  define FMAP_MEMORY_IS_WATCHED 0
#endif

namespace testing {

inline constexpr bool memory_is_watched = FMAP_MEMORY_IS_WATCHED != 0;

}  // namespace testing
