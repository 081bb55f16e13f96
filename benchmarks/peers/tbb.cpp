// SPDX-License-Identifier: BSD-3-Clause
// oneTBB: parallel_pipeline into a bounded queue, item by item and with items chunked by hand.
#include <algorithm>
#include <cstddef>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include <tbb/concurrent_queue.h>
#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include "../harness.hpp"

namespace {

using namespace bench;

/// Runs `make` (until it returns false) and `map` as a pipeline of at most `tokens` and calls
/// `consume` for each output in the calling thread. Outputs that wait in the queue hold no token,
/// so twice `tokens` may exist: a looser bound than fmap's, in the pipeline's favour.
template <class In, class Out, class Make, class Map, class Consume>
void pipeline(std::size_t tokens, unsigned workers, Make make, Map map, Consume consume, meter& m) {
  tbb::global_control threads{tbb::global_control::max_allowed_parallelism, workers + 1};
  tbb::task_arena arena{static_cast<int>(workers)};
  tbb::concurrent_bounded_queue<Out> outputs;
  outputs.set_capacity(static_cast<std::ptrdiff_t>(tokens));
  auto source = tbb::make_filter<void, In>(tbb::filter_mode::serial_out_of_order,
                                           [&](tbb::flow_control& control) {
                                             In in{};
                                             if (!make(in)) control.stop();
                                             return in;
                                           });
  auto middle = tbb::make_filter<In, Out>(tbb::filter_mode::parallel, map);
  auto last = tbb::make_filter<Out, void>(tbb::filter_mode::serial_out_of_order,
                                          [&](Out out) { outputs.push(std::move(out)); });
  m.start();
  std::thread runner{
      [&] { arena.execute([&] { tbb::parallel_pipeline(tokens, source & middle & last); }); }};
  for (bool more = true; more;) {
    Out out{};
    outputs.pop(out);
    more = consume(out);
  }
  runner.join();
  m.stop();
}

struct item_by_item {
  template <class Work>
  void operator()(const shape& s, const Work& work, meter& m) const {
    using item = item_of<Work>;
    using result = result_of<Work>;
    int made = 0;
    auto make = [&](item& in) {
      if (made == s.count) return false;
      in = work.make(made++);
      return true;
    };
    auto consume = [&](const result& out) {
      m.take(out);
      return m.taken() < s.count;
    };
    auto map = [&](item in) { return work(std::move(in)); };
    pipeline<item, result>(s.buffersize, s.workers, make, map, consume, m);
  }
};

/// Whether an item counts against the bound until its result has been taken, as with fmap, or only
/// until it has left the pipeline.
enum class bound { exact, loose };

template <bound Bound>
struct hand_chunked {
  int chunk;

  template <class Work>
  void operator()(const shape& s, const Work& work, meter& m) const {
    using items = std::vector<item_of<Work>>;
    using results = std::vector<result_of<Work>>;
    const auto tokens = s.buffersize / static_cast<std::size_t>(chunk);
    std::counting_semaphore free{static_cast<std::ptrdiff_t>(tokens)};
    int made = 0;
    auto make = [&](items& in) {
      if constexpr (Bound == bound::exact) free.acquire();
      auto end = std::min(made + chunk, s.count);
      in.reserve(static_cast<std::size_t>(end - made));
      while (made < end) in.push_back(work.make(made++));
      return !in.empty();
    };
    auto map = [&](items in) {
      results out;
      out.reserve(in.size());
      for (auto& x : in) out.push_back(work(std::move(x)));
      return out;
    };
    auto consume = [&](const results& out) {
      for (auto& x : out) m.take(x);
      if constexpr (Bound == bound::exact) free.release();
      return m.taken() < s.count;
    };
    pipeline<items, results>(tokens, s.workers, make, map, consume, m);
  }
};

[[maybe_unused]] const bool entered =
    enter("tbb", item_by_item{}) && enter("tbb-chunk4", hand_chunked<bound::exact>{4}, 4)
    && enter("tbb-chunk16", hand_chunked<bound::exact>{16}, 16)
    && enter("tbb-chunk64", hand_chunked<bound::exact>{64}, 64)
    && enter("tbb-chunk256", hand_chunked<bound::exact>{256}, 256)
    && enter("tbb-loose4", hand_chunked<bound::loose>{4}, 4)
    && enter("tbb-loose16", hand_chunked<bound::loose>{16}, 16)
    && enter("tbb-loose64", hand_chunked<bound::loose>{64}, 64)
    && enter("tbb-loose256", hand_chunked<bound::loose>{256}, 256);

}  // namespace
