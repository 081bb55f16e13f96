// SPDX-License-Identifier: BSD-3-Clause
// What a thread is in the midst of.
#pragma once

#include <fmap/detail/api.hpp>

namespace fmap::detail {

/// Says, for as long as it lives, that this thread is in the midst of something: it completes a future, or is in
/// the user's code for a map. Who finds that out must not wait for the end of it.
class FMAP_API inside {
public:
  explicit inside(const void* what) noexcept;
  ~inside();
  inside(const inside&) = delete;
  inside& operator=(const inside&) = delete;

  static bool of(const void* what) noexcept;

private:
  const void* const what_;
  const inside* const outer_;
};

}  // namespace fmap::detail
