// SPDX-License-Identifier: BSD-3-Clause
// fmap, as its README shows it: a range-for loop over a future_map on a thread pool.
#include <deque>
#include <functional>
#include <ranges>
#include <type_traits>

#include <fmap/fmap.hpp>

#include "../harness.hpp"

namespace {

using namespace bench;

struct future_map_loop {
  template <class Work>
  void operator()(const shape& s, const Work& work, meter& m) const {
    fmap::thread_pool pool{s.workers};
    m.start();
    if constexpr (std::is_same_v<item_of<Work>, int>) {
      for (auto&& result : fmap::future_map(pool, work, std::views::iota(0, s.count), s.buffersize))
        m.take(result);
    } else {
      auto items = std::views::iota(0, s.count)
                   | std::views::transform([&work](int i) { return work.make(i); });
      for (auto&& result : fmap::future_map(pool, work, items, s.buffersize)) m.take(result);
    }
    m.stop();
  }
};

struct submit_and_get {
  static constexpr bool does_tasks = true;

  template <class Work>
  void operator()(const shape& s, const Work& work, meter& m) const {
    fmap::thread_pool pool{s.workers};
    std::deque<fmap::future<int>> outstanding;
    m.start();
    for (int i = 0; i < s.count; ++i) {
      if (outstanding.size() == s.buffersize) {
        m.take(outstanding.front().get());
        outstanding.pop_front();
      }
      outstanding.push_back(pool.submit(work, work.make(i)));
    }
    for (const auto& f : outstanding) m.take(f.get());
    m.stop();
  }
};

[[maybe_unused]] const bool entered =
    enter("fmap", future_map_loop{}) && enter("fmap", submit_and_get{});

}  // namespace
