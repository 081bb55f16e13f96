// SPDX-License-Identifier: BSD-3-Clause
// Looking again a few times before going to sleep, where that has been paying off.
#pragma once

#include <algorithm>
#include <thread>

namespace fmap::actors {

/// How long somebody who has nothing to do gives way to others before he sleeps: as long as it has been
/// enough lately, and hardly at all if it has not. Yields, so that on a busy machine those who are waited
/// for get the processor.
class spinner {
public:
  /// True as soon as `there` is.
  template <class Predicate>
  bool wait(Predicate there) {
    if (yields_ == 0 && ++skipped_ % retry_every != 0) return false;
    const int limit = std::max(yields_, few);
    for (int i = 0; i != limit; ++i) {
      std::this_thread::yield();
      if (there()) {
        yields_ = std::min(2 * limit, most);
        return true;
      }
    }
    yields_ /= 2;
    if (yields_ < few) yields_ = 0;
    return false;
  }

private:
  static constexpr int few = 4, at_first = 16, most = 64;
  static constexpr unsigned retry_every = 16;

  int yields_ = at_first;
  unsigned skipped_ = 0;
};

}  // namespace fmap::actors
