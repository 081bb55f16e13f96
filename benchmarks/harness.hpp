// SPDX-License-Identifier: BSD-3-Clause
// What every contender is given (a shape, a workload, a meter), and the list they enter.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "workloads.hpp"

namespace bench {

/// One run: map items 0 to count - 1.
struct shape {
  int count = 0;
  std::size_t buffersize = 0;
  unsigned workers = 0;
};

/// The consumer's side of a run. A contender calls `start()` when its threads stand and nothing has
/// been pulled, `take()` for each result in the consumer's loop, and `stop()` when the run is over.
/// What stays for the next run (a pool, worker threads) is made before and ended after.
class meter {
public:
  void start() {
    cpu_ = cpu_now();
    begin_ = clock::now();
  }

  template <class Result>
  void take(const Result& result) {
    sum_ += value_of(result);
    keep(sum_);
    ++taken_;
  }

  /// For those who add up their results elsewhere.
  void take_many(std::uint64_t sum, int count) {
    sum_ += sum;
    taken_ += count;
  }

  void stop() {
    seconds_ = std::chrono::duration<double>(clock::now() - begin_).count();
    cpu_ = cpu_now() - cpu_;
  }

  double seconds() const { return seconds_; }
  double cpu_seconds() const { return cpu_; }
  std::uint64_t sum() const { return sum_; }
  std::int64_t taken() const { return taken_; }

private:
  using clock = std::chrono::steady_clock;

  static double cpu_now() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  }

  clock::time_point begin_;
  double cpu_ = 0;
  double seconds_ = 0;
  std::uint64_t sum_ = 0;
  std::int64_t taken_ = 0;
};

/// One peer on one workload at one buffersize.
struct contender {
  std::string workload;
  std::string peer;
  std::size_t buffersize;
  unsigned workers;  // 0: one for each core
  std::function<void(const shape&, meter&)> run;
  std::function<std::uint64_t(int)> answer;
};

inline std::vector<contender>& contenders() {
  static std::vector<contender> all;
  return all;
}

/// Enters a peer, a callable `void(const shape&, const Work&, meter&)`, for all workloads it
/// accepts at all buffersizes of at least `min_buffersize`. To be called while statics are
/// initialised.
template <class Peer>
bool enter(const std::string& name, Peer peer, std::size_t min_buffersize = 1) {
  auto enter_for = [&]<class Work>(Work work) {
    constexpr bool alike = requires { Work::tasks; }
    == requires { Peer::does_tasks; };
    if constexpr (alike && std::is_invocable_v<Peer&, const shape&, const Work&, meter&>)
      for (auto buffersize : Work::buffersizes)
        if (buffersize >= min_buffersize)
          contenders().push_back({
              .workload = Work::name,
              .peer = name,
              .buffersize = buffersize,
              .workers = Work::workers,
              .run = [=](const shape& s, meter& m) { peer(s, work, m); },
              .answer = [=](int i) { return work.answer(i); },
          });
  };
  std::apply([&](auto... work) { (enter_for(work), ...); }, workloads{});
  return true;
}

}  // namespace bench
