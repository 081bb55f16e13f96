// SPDX-License-Identifier: BSD-3-Clause
// A decoder that trusts its input crashes on corrupt files. In worker processes that costs these files,
// and nothing else.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <sys/resource.h>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

struct picture {
  std::string name;
  std::string
      bytes;  // where the pixels begin, 8 bytes; then, for each row, its length and its pixels
};
template <class Inspector>
auto inspect(Inspector& f, picture& p) {
  return f(p.name, p.bytes);
}

/// What comes with somebody else's library: counts the pixels and never doubts an offset.
std::string decode(const picture& p) {
  std::uint64_t offset = 0;
  std::memcpy(&offset, p.bytes.data(), sizeof offset);
  const volatile char* at = p.bytes.data() + offset;
  int pixels = 0;
  while (const int row = *at) {
    pixels += row;
    at += row + 1;
  }
  return p.name + ": " + std::to_string(pixels) + " pixels";
}

picture make(int number) {
  std::uint64_t offset = sizeof offset;
  if (number % 7 == 3) offset += std::uint64_t{1} << 46;  // corrupt
  picture p{"picture" + std::to_string(number), std::string(sizeof offset, '\0')};
  std::memcpy(p.bytes.data(), &offset, sizeof offset);
  for (int row = 0; row != number; ++row) p.bytes += '\x04' + std::string("rgba");
  p.bytes += '\0';
  return p;
}

int main(int argc, char** argv) {
  fmap::init(argc, argv);
  std::vector<picture> pictures;
  for (int i = 0; i != 20; ++i) pictures.push_back(make(i));

  fmap::process_pool pool{{.workers = 2, .initializer = [] {
                             const rlimit no_core_files{};
                             ::setrlimit(RLIMIT_CORE, &no_core_files);
                           }}};
  fmap::future_map decoded{pool, fmap::fn<&decode>, pictures, fmap::map_options{.ordered = true}};
  for (auto&& outcome : decoded.outcomes()) {
    try {
      std::cout << outcome.value() << '\n';
    } catch (const fmap::worker_lost& lost) {
      std::cout << "picture" << lost.index() << ": crashed its decoder " << lost.attempts()
                << " times\n";
    }
  }
  const auto stats = decoded.stats();
  std::cout << stats.quarantined << " of " << stats.taken << " are corrupt\n";

  if (std::cout.flush()) return EXIT_SUCCESS;
  std::cerr << "decoder: write error\n";
  return EXIT_FAILURE;
}
