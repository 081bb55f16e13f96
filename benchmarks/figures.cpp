// SPDX-License-Identifier: BSD-3-Clause
// What is measured of fmap alone: latency, scaling, length of runs, memory. One measurement, named on the
// command line, printed as one number.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <numeric>
#include <ranges>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>

#include <fmap/fmap.hpp>

#include "coprocesses.hpp"
#include "coroutines.hpp"
#include "workloads.hpp"

namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

constexpr auto twice = [](std::int64_t x) { return 2 * x; };
constexpr int buffersize = 1024;

void consume(fmap::thread_pool& pool, std::int64_t count) {
  std::int64_t sum = 0;
  const auto items = std::views::iota(std::int64_t{0}, count);
  for (const auto v : fmap::future_map{pool, twice, items, buffersize}) sum += v;
  if (sum != count * (count - 1)) std::abort();
}

/// Items a second, of several runs together.
double rate(fmap::thread_pool& pool, std::int64_t count, int runs = 1) {
  const auto begin = clock::now();
  for (int i = 0; i != runs; ++i) consume(pool, count);
  return static_cast<double>(count) * runs / seconds_since(begin);
}

/// That share of the values is smaller.
double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

/// How one rate compares to another: the median of several rounds, in each of which both are measured.
double compare(const std::function<double()>& one, const std::function<double()>& other) {
  constexpr int rounds = 9;
  std::vector<double> ratios;
  for (int i = 0; i != rounds; ++i) {
    const double rate = one();
    ratios.push_back(rate / other());
  }
  return quantile(std::move(ratios), 0.5);
}

/// An element that knows when it was pulled: copied, that is.
struct pulled_item {
  explicit pulled_item(int n) : number{n} {}
  pulled_item(const pulled_item& other) : number{other.number}, at{clock::now()} {}
  pulled_item(pulled_item&&) = default;

  int number;
  clock::time_point at;
};

/// Microseconds from pulled to done, the median of the fast items, where one in 100 is slow.
double mixed() {
  constexpr int count = 100'000;
  std::vector<pulled_item> items;
  items.reserve(count);
  for (int i = 0; i != count; ++i) items.emplace_back(i);
  const auto work = [burn = bench::mixed{}](const pulled_item& item) {
    const bool slow = burn.is_slow(item.number);
    burn(item.number);
    return slow ? -1.0 : seconds_since(item.at) * 1e6;
  };
  fmap::thread_pool pool{2};
  std::vector<double> times;
  for (const double t : fmap::future_map{pool, work, items, 256})
    if (t >= 0) times.push_back(t);
  return quantile(std::move(times), 0.5);
}

/// Microseconds from pulled to taken: that share of the items is faster. An item every millisecond.
double latency(double share) {
  fmap::thread_pool pool{2};
  const auto items = std::views::iota(0, 1000) | std::views::transform([](int) {
                       std::this_thread::sleep_for(std::chrono::milliseconds{1});
                       return clock::now();
                     });
  std::vector<double> times;
  for (const auto pulled : fmap::future_map{pool, std::identity{}, items, 64})
    times.push_back(seconds_since(pulled) * 1e6);
  return quantile(std::move(times), share);
}

/// Rate with this number of workers, divided by that with two.
double scaling(std::size_t workers) {
  fmap::thread_pool two{2}, other{workers};
  rate(two, 1'000'000);
  rate(other, 1'000'000);
  return compare([&] { return rate(other, 5'000'000); }, [&] { return rate(two, 5'000'000); });
}

/// What 100 maps at a time get together, divided by what one gets; or the least one's share of a
/// hundredth.
double together(bool fairness) {
  constexpr std::size_t maps = 100;
  fmap::thread_pool pool{2};
  rate(pool, 1'000'000);
  const double alone = rate(pool, 10'000'000);
  std::vector<std::uint64_t> taken(maps);
  std::vector<std::thread> consumers;
  const auto begin = clock::now();
  for (auto& n : taken) {
    consumers.emplace_back([&pool, &n, begin] {
      std::uint64_t count = 0;
      for ([[maybe_unused]] const auto v :
           fmap::future_map{pool, twice, std::views::iota(std::int64_t{0}), buffersize})
        if (++count % 1024 == 0 && seconds_since(begin) > 1) break;
      n = count;
    });
  }
  for (auto& c : consumers) c.join();
  const auto all =
      static_cast<double>(std::accumulate(taken.begin(), taken.end(), std::uint64_t{0}));
  if (!fairness) return all / seconds_since(begin) / alone;
  return static_cast<double>(*std::ranges::min_element(taken)) * maps / all;
}

/// Rate while every processor has something else to do as well, divided by that without.
double beside_busy_loops() {
  fmap::thread_pool pool{2};
  rate(pool, 1'000'000);
  const double alone = rate(pool, 10'000'000);
  std::vector<std::jthread> loops(std::thread::hardware_concurrency());
  for (auto& loop : loops)
    loop = std::jthread{[](const std::stop_token& stop) {
      while (!stop.stop_requested()) bench::burn(1000);
    }};
  return rate(pool, 3'000'000) / alone;
}

/// Nanoseconds for each item of a run of that length, divided by those of one of 10^6.
double length(std::int64_t count) {
  fmap::thread_pool pool{2};
  rate(pool, 1'000'000);
  const int runs = static_cast<int>(std::max<std::int64_t>(1, 10'000'000 / count));
  return compare([&] { return rate(pool, 1'000'000, 10); },
                 [&] { return rate(pool, count, runs); });
}

/// Megabytes at the peak of a process that does nothing else.
double memory(std::int64_t count) {
  fmap::thread_pool pool{2};
  consume(pool, count);
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return static_cast<double>(use.ru_maxrss) / 1024;
}

const std::map<std::string, std::function<double()>> measurements{
    {"latency/median", [] { return latency(0.5); }},
    {"latency/99", [] { return latency(0.99); }},
    {"mixed", mixed},
    {"scaling/1", [] { return scaling(1); }},
    {"scaling/4", [] { return scaling(4); }},
    {"scaling/8", [] { return scaling(8); }},
    {"scaling/64", [] { return scaling(64); }},
    {"scaling/512", [] { return scaling(512); }},
    {"together/rate", [] { return together(false); }},
    {"together/least", [] { return together(true); }},
    {"busy", beside_busy_loops},
    {"length/4", [] { return length(10'000); }},
    {"length/8", [] { return length(100'000'000); }},
    {"memory", [] { return memory(100'000'000); }},
    {"await", bench::await_of_ready},
    {"coroutines", bench::coroutines_against_callbacks},
    {"asio", bench::asio_sleepers},
    {"coprocesses", bench::coprocesses_against_loops},
};

}  // namespace

int main(int argc, char** argv) {
  const auto it = argc == 2 ? measurements.find(argv[1]) : measurements.end();
  if (it == measurements.end()) {
    std::fputs("usage: fmap_bench_figures MEASUREMENT, one of:\n", stderr);
    for (const auto& m : measurements) std::fprintf(stderr, "  %s\n", m.first.c_str());
    return 2;
  }
  std::printf("%.6g\n", it->second());
}
