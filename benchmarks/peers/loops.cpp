// SPDX-License-Identifier: BSD-3-Clause
// The yardsticks: the sequential loop, and one independent loop for each worker (no map at all).
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

#include "../harness.hpp"

namespace {

using namespace bench;

struct sequential {
  template <class Work>
  void operator()(const shape& s, const Work& work, meter& m) const {
    m.start();
    for (int i = 0; i < s.count; ++i) m.take(work(work.make(i)));
    m.stop();
  }
};

/// Shares nothing and hands nothing to a consumer until its end: what the cores can do at all.
struct independent {
  template <class Work>
  void operator()(const shape& s, const Work& work, meter& m) const {
    m.start();
    std::vector<std::uint64_t> sums(s.workers);
    std::vector<std::thread> threads;
    auto workers = static_cast<int>(s.workers);
    for (int w = 0, begin = 0; w < workers; ++w) {
      auto end = begin + (s.count - begin) / (workers - w);
      threads.emplace_back([&, w, begin, end] {
        std::uint64_t sum = 0;
        for (int i = begin; i < end; ++i) {
          sum += value_of(work(work.make(i)));
          keep(sum);
        }
        sums[static_cast<std::size_t>(w)] = sum;
      });
      begin = end;
    }
    for (auto& thread : threads) thread.join();
    m.take_many(std::accumulate(sums.begin(), sums.end(), std::uint64_t{0}), s.count);
    m.stop();
  }
};

[[maybe_unused]] const bool entered =
    enter("sequential", sequential{}) && enter("independent", independent{});

}  // namespace
