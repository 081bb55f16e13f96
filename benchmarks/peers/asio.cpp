// SPDX-License-Identifier: BSD-3-Clause
// Boost.Asio: a task posted for each item, and a counting semaphore that bounds them.
#include <cstddef>
#include <deque>
#include <future>
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

struct packaged_tasks {
  static constexpr bool does_tasks = true;

  template <class Work>
  void operator()(const shape& s, const Work& work, meter& m) const {
    boost::asio::thread_pool pool{s.workers};
    std::deque<std::future<int>> outstanding;
    m.start();
    for (int i = 0; i < s.count; ++i) {
      if (outstanding.size() == s.buffersize) {
        m.take(outstanding.front().get());
        outstanding.pop_front();
      }
      std::packaged_task<int()> task{[&work, item = work.make(i)] { return work(item); }};
      outstanding.push_back(task.get_future());
      boost::asio::post(pool, std::move(task));
    }
    for (auto& f : outstanding) m.take(f.get());
    m.stop();
    pool.join();
  }
};

[[maybe_unused]] const bool entered =
    enter("asio", pool_and_semaphore{}) && enter("asio", packaged_tasks{});

}  // namespace
