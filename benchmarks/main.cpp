// SPDX-License-Identifier: BSD-3-Clause
// Registers each contender once a round, so that the rounds interleave, and checks every sum.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "harness.hpp"

namespace bench {
namespace {

struct options {
  int rounds = 9;
  int milliseconds = 100;  // what one measurement should last
  int workers = static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
};

/// A contender with what its first run found out: how many items fill the time, and their sum.
class trial {
public:
  trial(contender c, const options& opts)
      : contender_{std::move(c)}, seconds_{opts.milliseconds * 1e-3},
        shape_{.buffersize = contender_.buffersize,
               .workers = contender_.workers != 0 ? contender_.workers
                                                  : static_cast<unsigned>(opts.workers)} {}

  void measure(benchmark::State& state) {
    if (shape_.count == 0) prepare();
    for ([[maybe_unused]] auto _ : state) {
      text::copies = 0;
      meter m;
      contender_.run(shape_, m);
      state.SetIterationTime(m.seconds());
      if (m.taken() != shape_.count || m.sum() != sum_)
        state.SkipWithError("the results are wrong");
      auto count = static_cast<double>(shape_.count);
      state.counters["items"] = count;
      state.counters["items_per_second"] = count / m.seconds();
      state.counters["cpu_us_per_item"] = m.cpu_seconds() * 1e6 / count;
      state.counters["copies"] = static_cast<double>(text::copies);
    }
  }

private:
  void prepare() {
    constexpr double most = 500'000'000;  // 2 * x still fits
    double count = static_cast<double>(shape_.buffersize);
    for (;;) {
      shape_.count = static_cast<int>(count);
      meter m;
      contender_.run(shape_, m);
      if (m.seconds() >= seconds_ / 4 || count >= most) {
        count *= seconds_ / m.seconds();
        break;
      }
      count = std::min(most, count * std::clamp(seconds_ / 3 / m.seconds(), 1.5, 10.0));
    }
    shape_.count = static_cast<int>(std::clamp(count, 1.0, most));
    for (int i = 0; i < shape_.count; ++i) sum_ += contender_.answer(i);
  }

  contender contender_;
  double seconds_;
  shape shape_;
  std::uint64_t sum_ = 0;
};

/// Names look like `twice/256/tbb/3`: workload, buffersize, peer, round. Each round begins with
/// another peer, so that nobody always runs after the same neighbour.
void register_all(const options& opts) {
  std::map<std::string, std::vector<std::pair<std::string, std::shared_ptr<trial>>>> rows;
  for (auto& c : contenders())
    rows[c.workload + "/" + std::to_string(c.buffersize)].emplace_back(
        c.peer, std::make_shared<trial>(c, opts));
  for (auto& [row, peers] : rows)
    for (int round = 0; round < opts.rounds; ++round) {
      for (auto& [peer, t] : peers) {
        auto name = row + "/" + peer + "/" + std::to_string(round);
        benchmark::RegisterBenchmark(name.c_str(), [t = t](auto& state) { t->measure(state); })
            ->Iterations(1)
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
      }
      std::ranges::rotate(peers, std::next(peers.begin()));
    }
}

/// True if `argument` is `--name=N`; N is then in `value`.
bool parse(std::string_view argument, std::string_view name, int& value) {
  if (!argument.starts_with(name)) return false;
  argument.remove_prefix(name.size());
  auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), value);
  return error == std::errc{} && end == argument.data() + argument.size() && value > 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::options opts;
  benchmark::Initialize(&argc, argv);
  for (int i = 1; i < argc; ++i)
    if (!bench::parse(argv[i], "--rounds=", opts.rounds)
        && !bench::parse(argv[i], "--milliseconds=", opts.milliseconds)
        && !bench::parse(argv[i], "--workers=", opts.workers)) {
      std::cerr << argv[0] << ": cannot read '" << argv[i]
                << "'; besides Google Benchmark's options: "
                   "--rounds=N --milliseconds=N --workers=N\n";
      return 2;
    }
  bench::register_all(opts);
  benchmark::AddCustomContext("workers", std::to_string(opts.workers));
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
