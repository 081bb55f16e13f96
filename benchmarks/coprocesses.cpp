// SPDX-License-Identifier: BSD-3-Clause
// Co-processes through functions over batches, and by hand.
#include "coprocesses.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ranges>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmap/fmap.hpp>

namespace bench {

namespace {

using clock = std::chrono::steady_clock;

constexpr int items = 200'000, depth = 256;

/// A filter that answers each line at once, with one more digit.
class coprocess {
public:
  coprocess() {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execlp("sed", "sed", "-u", "s/$/0/", nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_ = ::fdopen(in[1], "w");
    from_ = ::fdopen(out[0], "r");
  }
  ~coprocess() {
    std::fclose(to_);
    std::fclose(from_);
    ::waitpid(pid_, nullptr, 0);
  }
  coprocess(const coprocess&) = delete;
  coprocess& operator=(const coprocess&) = delete;

  void ask(int x) { std::fprintf(to_, "%d\n", x); }
  void send() { std::fflush(to_); }
  long answer() {
    char line[32];
    if (std::fgets(line, sizeof line, from_) == nullptr) std::abort();
    return std::atol(line);
  }

private:
  pid_t pid_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

double seconds_since(clock::time_point begin, long sum) {
  if (sum != 10L * items * (items - 1) / 2) std::abort();
  return std::chrono::duration<double>(clock::now() - begin).count();
}

double by_hand() {
  const auto begin = clock::now();
  std::atomic<int> next{0};
  std::atomic<long> sum{0};
  const auto loop = [&] {
    coprocess filter;
    for (int first; (first = next.fetch_add(depth)) < items;) {
      const int end = std::min(first + depth, items);
      for (int x = first; x != end; ++x) filter.ask(x);
      filter.send();
      for (int x = first; x != end; ++x) sum += filter.answer();
    }
  };
  { const std::jthread one{loop}, other{loop}; }
  return seconds_since(begin, sum);
}

double on_batches() {
  const auto begin = clock::now();
  fmap::thread_pool pool{2};
  const auto ask = [](coprocess& filter, std::span<const int> xs, fmap::delivery<long> deliver) {
    for (const int x : xs) filter.ask(x);
    filter.send();
    for (std::size_t i = 0; i != xs.size(); ++i) deliver(i, filter.answer());
  };
  long sum = 0;
  for (const long y : fmap::future_map(pool, fmap::on_batches([] { return coprocess{}; }, ask),
                                       std::views::iota(0, items), 4 * depth))
    sum += y;
  return seconds_since(begin, sum);
}

}  // namespace

double coprocesses_against_loops() {
  std::vector<double> ratios;
  for (int round = 0; round != 5; ++round) {
    const double hand = by_hand();
    ratios.push_back(on_batches() / hand);
  }
  std::ranges::sort(ratios);
  return ratios[ratios.size() / 2];
}

}  // namespace bench
