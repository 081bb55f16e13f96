// SPDX-License-Identifier: BSD-3-Clause
// Counts forks, and ends the batch of whoever forks.

#include "src/kernel/forks.hpp"

#include <atomic>
#include <utility>

#include <pthread.h>

namespace fmap::kernel {

namespace {

std::atomic<unsigned> count{0};
constinit thread_local detail::progress* at_work = nullptr;

/// Runs in the new process, whose only thread is the one that forked.
void begin_again() {
  count.fetch_add(1, std::memory_order_relaxed);
  if (at_work != nullptr) at_work->limit.store(0, std::memory_order_relaxed);
}

}  // namespace

unsigned forks() noexcept {
  [[maybe_unused]] static const int told = ::pthread_atfork(nullptr, nullptr, begin_again);
  return count.load(std::memory_order_relaxed);
}

batch_at_work::batch_at_work(detail::progress& at) noexcept
    : before_{std::exchange(at_work, &at)} {}

batch_at_work::~batch_at_work() { at_work = before_; }

}  // namespace fmap::kernel
