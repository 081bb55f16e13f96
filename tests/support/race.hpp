// SPDX-License-Identifier: BSD-3-Clause
// Two threads at the same place at the same time, many times over.
#pragma once

#include <atomic>
#include <barrier>
#include <random>
#include <thread>

#include <fmap/detail/parking.hpp>

namespace test {

/// `prepare()`; then `a()` and `b()` at once in two threads, each after a random short delay; then
/// `good()`. Returns in how many rounds that was false.
template <class Prepare, class A, class B, class Good>
int race(int rounds, Prepare prepare, A a, B b, Good good) {
  std::barrier<> sync{2};
  const auto delayed = [](std::minstd_rand& random, auto& step) {
    for (auto spins = random() % 256; spins > 0; --spins)
      std::atomic_signal_fence(std::memory_order_seq_cst);
    step();
  };
  std::thread other{[&] {
    std::minstd_rand random{1};
    for (int i = 0; i < rounds; ++i) {
      sync.arrive_and_wait();
      delayed(random, b);
      sync.arrive_and_wait();
    }
  }};
  int bad = 0;
  std::minstd_rand random{2};
  for (int i = 0; i < rounds; ++i) {
    prepare();
    sync.arrive_and_wait();
    delayed(random, a);
    sync.arrive_and_wait();
    if (!good()) ++bad;
  }
  other.join();
  return bad;
}

/// Runs `body` in a thread of its own and says when that thread is waiting for a future.
class waiting_thread {
public:
  template <class Body>
  explicit waiting_thread(Body body)
      : thread_{[this, body] {
          observer_.waits = &waits_;
          fmap::detail::current_helper = &observer_;
          body();
          waits_ = true;  // it did not have to
          waits_.notify_all();
        }} {}
  ~waiting_thread() { join(); }

  /// Returns once the thread has registered with what it waits for.
  void await() const { waits_.wait(false); }

  void join() {
    if (thread_.joinable()) thread_.join();
  }

private:
  struct observer final : fmap::detail::helper {
    bool help_until(fmap::detail::parking& place, const fmap::detail::deadline& until) override {
      *waits = true;
      waits->notify_all();
      return place.wait(until);
    }
    bool works_for(fmap::detail::pool_key) const override { return false; }
    std::atomic<bool>* waits = nullptr;
  };

  std::atomic<bool> waits_{false};
  observer observer_;
  std::thread thread_;
};

}  // namespace test
