// SPDX-License-Identifier: BSD-3-Clause
// Coroutines that await while other threads complete, fail and cancel what they await.
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fmap/coroutine.hpp>

#include "support/catch.hpp"
#include "support/race.hpp"
#include "support/watched_memory.hpp"

namespace {

constexpr int awaits = testing::memory_is_watched ? 100'000 : 1'000'000;

constexpr int batch = 64;

enum class end : int { value, error, cancelled };

fmap::future<int> await_one(fmap::future<int> f) { co_return co_await std::move(f); }

fmap::future<end> end_of(fmap::future<int> f) {
  try {
    co_await f;
  } catch (const fmap::cancelled_error&) {
    co_return end::cancelled;
  } catch (const std::runtime_error&) {
    co_return end::error;
  }
  co_return end::value;
}

}  // namespace

TEST_CASE("coroutine race: eight threads await what others complete, fail and cancel") {
  constexpr int threads = 8;
  std::atomic<int> ended{0}, wrong{0};
  std::vector<std::thread> all;
  for (int t = 0; t != threads; ++t)
    all.emplace_back([&, t] {
      for (int round = 0; round != awaits / threads / batch; ++round) {
        std::vector<fmap::promise<int>> promises(batch);
        std::thread other;
        const bool beside = round % 32 == 0;  // else in this thread: threads are dear
        const auto complete = [&promises, t] {
          for (int i = 0; i != batch; ++i) {
            auto& p = promises[static_cast<std::size_t>(i)];
            if ((i + t) % 3 == 0)
              p.set_value(i);
            else if ((i + t) % 3 == 1)
              p.set_exception(std::runtime_error{"x"});
            else
              p.get_future().cancel();
          }
        };
        if (beside) other = std::thread{complete};
        std::vector<fmap::future<end>> ends;
        for (auto& p : promises) ends.push_back(end_of(p.get_future()));
        if (beside)
          other.join();
        else
          complete();
        for (int i = 0; i != batch; ++i) {
          const auto& f = ends[static_cast<std::size_t>(i)];
          if (!f.done() || static_cast<int>(f.get()) != (i + t) % 3) ++wrong;
          ++ended;
        }
      }
    });
  for (auto& t : all) t.join();
  CHECK(wrong == 0);
  CHECK(ended == awaits / threads / batch * batch * threads);
}

TEST_CASE("coroutine race: await against a value, and against a cancellation") {
  fmap::promise<int> p;
  fmap::future<int> f, result;
  for (const bool cancels : {false, true})
    CHECK(test::race(
              awaits / 20, [&] { f = (p = {}).get_future(); }, [&] { result = await_one(f); },
              [&] {
                if (cancels)
                  p.get_future().cancel();
                else
                  p.set_value(3);
              },
              [&] {
                if (!result.done()) return false;
                if (!cancels) return result.get() == 3;
                try {
                  result.get();
                  return false;
                } catch (const fmap::cancelled_error&) {
                  return true;
                }
              })
          == 0);
}
