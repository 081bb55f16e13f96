// SPDX-License-Identifier: BSD-3-Clause
// Boost.Asio: a task posted for each item, and a counting semaphore that bounds them.
#include <cstddef>
#include <semaphore>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "../blocking_queue.hpp"
#include "../harness.hpp"

namespace {

using namespace bench;

/// A token goes back when the consumer takes the result: exactly fmap's bound.
struct pool_and_semaphore {
  template <class Work>
  void operator()(const shape& s, const Work& work, meter& m) const {
    blocking_queue<result_of<Work>> results{s.buffersize};
    std::counting_semaphore<> tokens{static_cast<std::ptrdiff_t>(s.buffersize)};
    boost::asio::thread_pool pool{s.workers};
    m.start();
    std::thread source{[&] {
      for (int i = 0; i < s.count; ++i) {
        tokens.acquire();
        boost::asio::post(
            pool, [&, item = work.make(i)]() mutable { results.push(work(std::move(item))); });
      }
    }};
    for (int i = 0; i < s.count; ++i) {
      m.take(*results.pop());
      tokens.release();
    }
    source.join();
    m.stop();
    pool.join();
  }
};

[[maybe_unused]] const bool entered = enter("asio", pool_and_semaphore{});

}  // namespace
