// SPDX-License-Identifier: BSD-3-Clause
// Worker processes: one measurement, named on the command line, printed as one number.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ranges>
#include <string>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

constexpr auto twice = [](int x) { return 2 * x; };
constexpr auto echo = [](std::string s) { return s; };

/// Items a second.
double rate_of_twice(int count, int buffersize) {
  fmap::process_pool pool{2};
  for ([[maybe_unused]] int v : fmap::future_map{pool, twice, std::views::iota(0, 1000)}) {}
  const auto begin = clock::now();
  std::int64_t sum = 0;
  for (int v : fmap::future_map{pool, twice, std::views::iota(0, count), buffersize}) sum += v;
  const double seconds = seconds_since(begin);
  if (sum != std::int64_t{count} * (count - 1)) std::abort();
  return count / seconds;
}

/// Megabytes a second, each way.
double rate_of_texts(int count, int buffersize) {
  fmap::process_pool pool{2};
  for ([[maybe_unused]] int v : fmap::future_map{pool, twice, std::views::iota(0, 1000)}) {}
  auto texts = std::views::iota(0, count)
               | std::views::transform([](int) { return std::string(65536, 'x'); });
  const auto begin = clock::now();
  std::size_t bytes = 0;
  for (const auto& s : fmap::future_map{pool, echo, texts, buffersize}) bytes += s.size();
  return static_cast<double>(bytes) / 1e6 / seconds_since(begin);
}

/// Microseconds.
double lone_round_trip(int count) {
  fmap::process_pool pool{2};
  for (int i = 0; i != 100; ++i) pool.submit(twice, i).get();
  const auto begin = clock::now();
  for (int i = 0; i != count; ++i) pool.submit(twice, i).get();
  return seconds_since(begin) / count * 1e6;
}

/// Milliseconds.
double first_result() {
  const auto begin = clock::now();
  fmap::process_pool pool{2};
  pool.submit(twice, 1).get();
  return seconds_since(begin) * 1e3;
}

double measure(const char* what) {
  if (std::strcmp(what, "twice/256") == 0) return rate_of_twice(4'000'000, 256);
  if (std::strcmp(what, "twice/8192") == 0) return rate_of_twice(10'000'000, 8192);
  if (std::strcmp(what, "texts/16") == 0) return rate_of_texts(10'000, 16);
  if (std::strcmp(what, "roundtrip") == 0) return lone_round_trip(10'000);
  if (std::strcmp(what, "start") == 0) return first_result();
  std::fprintf(stderr, "no such measurement: %s\n", what);
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  fmap::init(argc, argv);
  if (argc != 2) return std::fputs("usage: fmap_bench_processes MEASUREMENT\n", stderr), 2;
  std::printf("%.6g\n", measure(argv[1]));
}
