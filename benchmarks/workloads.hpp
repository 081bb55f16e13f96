// SPDX-License-Identifier: BSD-3-Clause
// What is mapped: how item i is made, what is done with it, and what the result must be.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

namespace bench {

/// Forces `x` into a register, so that no loop is folded into a formula.
inline void keep(std::uint64_t& x) { asm volatile("" : "+r"(x)); }

/// A fixed amount of arithmetic. Two of them that share a core take twice as long, which a loop
/// that watches the clock would hide.
inline void burn(std::int64_t rounds) {
  for (auto x = static_cast<std::uint64_t>(rounds); rounds > 0; --rounds) {
    x = x * 6364136223846793005U + 1442695040888963407U;
    keep(x);
  }
}

/// How many rounds of `burn` take a microsecond here; the best of many tries, measured once.
inline double rounds_per_microsecond() {
  static const double rate = [] {
    using clock = std::chrono::steady_clock;
    constexpr int rounds = 100'000;
    auto best = clock::duration::max();
    for (int attempt = 0; attempt < 50; ++attempt) {
      auto start = clock::now();
      burn(rounds);
      best = std::min(best, clock::now() - start);
    }
    return rounds / std::chrono::duration<double, std::micro>(best).count();
  }();
  return rate;
}

inline std::int64_t rounds_for(double microseconds) {
  return static_cast<std::int64_t>(microseconds * rounds_per_microsecond());
}

/// What the consumer adds up.
inline std::uint64_t value_of(int x) { return static_cast<std::uint64_t>(x); }

inline std::uint64_t value_of(std::uint64_t x) { return x; }

/// What the workloads on numbers share.
struct number_work {
  static constexpr std::array<std::size_t, 4> buffersizes{16, 64, 256, 1024};
  static constexpr unsigned workers = 0;  // one for each core
  int make(int i) const { return i; }
  std::uint64_t answer(int i) const { return value_of(2 * i); }
};

struct twice : number_work {
  static constexpr auto name = "twice";
  int operator()(int x) const { return 2 * x; }
};

struct cpu_5us : number_work {
  static constexpr auto name = "cpu5us";
  std::int64_t rounds = rounds_for(5);
  int operator()(int x) const {
    burn(rounds);
    return 2 * x;
  }
};

struct sleep_1ms : number_work {
  static constexpr auto name = "sleep1ms";
  static constexpr unsigned workers = 64;
  int operator()(int x) const {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
    return 2 * x;
  }
};

/// One item in 100 costs a millisecond, the others a microsecond.
struct mixed : number_work {
  static constexpr auto name = "mixed";
  static constexpr std::array<std::size_t, 1> buffersizes{256};
  std::int64_t slow = rounds_for(1000);
  std::int64_t fast = rounds_for(1);
  int operator()(int x) const {
    burn(is_slow(x) ? slow : fast);
    return 2 * x;
  }
  static bool is_slow(int x) { return x % 100 == 50; }
};

/// A string that counts its copies.
struct text {
  std::string chars;
  static inline std::atomic<std::int64_t> copies{0};

  text() = default;
  explicit text(std::string s) : chars{std::move(s)} {}
  text(const text& other) : chars{other.chars} { ++copies; }
  text(text&&) noexcept = default;
  text& operator=(text other) noexcept {
    chars.swap(other.chars);
    return *this;
  }
  ~text() = default;
};

/// 4 KiB strings to their hash.
struct hash_4k {
  static constexpr auto name = "hash4k";
  static constexpr std::array<std::size_t, 2> buffersizes{64, 256};
  static constexpr unsigned workers = 0;
  text make(int i) const {
    auto result = std::string(4096, static_cast<char>('a' + i % 26));
    result.replace(0, 10, std::to_string(1'000'000'000 + i));
    return text{std::move(result)};
  }
  std::uint64_t operator()(const text& item) const {
    return std::hash<std::string_view>{}(item.chars);
  }
  std::uint64_t answer(int i) const { return (*this)(make(i)); }
};

/// Cannot be copied, owns 64 KiB.
struct block {
  static constexpr std::size_t words = 8192;
  std::unique_ptr<std::uint64_t[]> data;
};

inline std::uint64_t value_of(const block& x) { return x.data[0]; }

/// Move-only items of 64 KiB: summed up, the sum goes into the first word, the block is returned.
struct move_64k {
  static constexpr auto name = "move64k";
  static constexpr std::array<std::size_t, 2> buffersizes{16, 64};
  static constexpr unsigned workers = 0;
  block make(int i) const {
    block result{std::make_unique_for_overwrite<std::uint64_t[]>(block::words)};
    std::fill_n(result.data.get(), block::words, value_of(i));
    return result;
  }
  block operator()(block item) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < block::words; ++i) sum += item.data[i];
    item.data[0] = sum;
    return item;
  }
  std::uint64_t answer(int i) const { return value_of(i) * block::words; }
};

/// Single tasks instead of a map: a fixed number is outstanding, the oldest is waited for. Only for peers
/// that have `does_tasks`.
struct task_work : number_work {
  static constexpr auto name = "tasks";
  static constexpr std::array<std::size_t, 1> buffersizes{1000};
  static constexpr bool tasks = true;
  int operator()(int x) const { return 2 * x; }
};

using workloads = std::tuple<twice, cpu_5us, sleep_1ms, mixed, hash_4k, move_64k, task_work>;

template <class Work>
using item_of = decltype(std::declval<const Work&>().make(0));

template <class Work>
using result_of = std::invoke_result_t<const Work&, item_of<Work>>;

}  // namespace bench
