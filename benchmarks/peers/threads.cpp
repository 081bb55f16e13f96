// SPDX-License-Identifier: BSD-3-Clause
// Made by hand: a source thread, workers, and a bounded queue on either side of them.
#include <cstddef>
#include <latch>
#include <thread>
#include <utility>
#include <vector>

#include "../blocking_queue.hpp"
#include "../harness.hpp"

namespace {

using namespace bench;

/// Each queue holds up to `buffersize`: a looser bound than fmap's, in this peer's favour.
struct threads_and_queues {
  template <class Work>
  void operator()(const shape& s, const Work& work, meter& m) const {
    blocking_queue<item_of<Work>> items{s.buffersize};
    blocking_queue<result_of<Work>> results{s.buffersize};
    std::latch up{static_cast<std::ptrdiff_t>(s.workers)};
    std::vector<std::thread> workers;
    for (unsigned w = 0; w < s.workers; ++w)
      workers.emplace_back([&] {
        up.count_down();
        while (auto item = items.pop()) results.push(work(std::move(*item)));
      });
    up.wait();
    m.start();
    std::thread source{[&] {
      for (int i = 0; i < s.count; ++i) items.push(work.make(i));
      items.close();
    }};
    for (int i = 0; i < s.count; ++i) m.take(*results.pop());
    source.join();
    m.stop();
    for (auto& worker : workers) worker.join();
  }
};

[[maybe_unused]] const bool entered = enter("threads", threads_and_queues{});

}  // namespace
