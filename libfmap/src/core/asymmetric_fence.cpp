// SPDX-License-Identifier: BSD-3-Clause
// A pair of fences for two threads of which one passes often and the other rarely.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmap/detail/asymmetric_fence.hpp>

#ifdef __linux__
#  include <linux/membarrier.h>
#  include <sys/syscall.h>
#  include <unistd.h>
#endif

namespace fmap::detail {

namespace {

bool register_membarrier() {
#ifdef __linux__
  return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
#else
  return false;
#endif
}

}  // namespace

const bool fences_are_asymmetric = register_membarrier();

void heavy_fence() {
#ifdef __linux__
  if (fences_are_asymmetric) {
    const auto fence = [] {
      return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
    };
    if (fence() || (errno == EPERM && register_membarrier() && fence())) return;
    // The other side relies on it: without it an item could run twice.
    std::fprintf(
        stderr,
        "fmap: membarrier(2), which worked when the program started, fails: %s. Allow it in the "
        "program's sandbox\n",
        std::strerror(errno));
    std::abort();
  }
#endif
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace fmap::detail
