// SPDX-License-Identifier: BSD-3-Clause
// A mutex that is never held for long.
#pragma once

#include <mutex>

#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

/// Tries again a few times before it sleeps: who holds it will be done before a sleeper is up.
class short_mutex {
public:
  void lock() {
    for (int i = 0; i != tuning::mutex_tries; ++i) {
      if (mutex_.try_lock()) return;
      relax();
    }
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }

private:
  static void relax() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  std::mutex mutex_;
};

}  // namespace fmap::kernel
