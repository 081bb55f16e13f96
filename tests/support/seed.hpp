// SPDX-License-Identifier: BSD-3-Clause
// Randomness that can be had again: a test that fails names the seed; FMAP_SEED=... repeats it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace testing {

inline std::uint64_t seed() {
  if (const char* given = std::getenv("FMAP_SEED")) return std::stoull(given);
  return std::random_device{}();
}

/// What a failed assertion says; goes into INFO().
inline std::string seed_message(std::uint64_t seed) { return "FMAP_SEED=" + std::to_string(seed); }

class dice {
public:
  explicit dice(std::uint64_t seed) : engine_{seed} {}

  /// 0 ... n - 1.
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : engine_() % n; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

private:
  std::mt19937_64 engine_;
};

}  // namespace testing
