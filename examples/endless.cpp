// SPDX-License-Identifier: BSD-3-Clause
// Looks for primes among all integers above a trillion, and stops at the tenth it finds.
#include <cstdlib>
#include <iostream>
#include <optional>
#include <ranges>

#include <fmap/fmap.hpp>

/// The number itself if it is a prime.
std::optional<long> prime(long number) {
  for (long divisor = 2; divisor * divisor <= number; ++divisor)
    if (number % divisor == 0) return std::nullopt;
  return number;
}

int main(int argc, char** argv) {
  fmap::init(argc, argv);
  fmap::thread_pool pool;
  fmap::map_options options{.buffersize = 32, .ordered = true};
  fmap::future_map results{pool, prime, std::views::iota(1'000'000'000'000L), options};

  int found = 0;
  for (std::optional<long> result : results)
    if (result) {
      std::cout << *result << std::endl;
      // Leaving is always safe; the input stops being pulled.
      if (++found == 10 || !std::cout) break;
    }

  auto stats = results.stats();
  std::clog << stats.taken << " results taken, " << stats.pulled << " numbers pulled, at most "
            << stats.peak_in_flight << " of " << stats.buffersize << " in flight\n";
  if (std::cout && std::clog) return EXIT_SUCCESS;
  std::cerr << "endless: write error\n";
  return EXIT_FAILURE;
}
