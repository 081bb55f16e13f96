// SPDX-License-Identifier: BSD-3-Clause
// A user's program with nodes.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <ranges>
#include <string>

#include <fmap/fmap.hpp>
#include <fmap/node_pool.hpp>

int main(int argc, char** argv) {
  fmap::init(argc, argv);
  const std::string here = "exec '" + std::string{argv[0]} + "' --fmap-node=-";
  fmap::node_pool pool{{.launch = {here}}};
  pool.wait_for_nodes(1, std::chrono::seconds{60});
  int sum = 0;
  for (int x : fmap::future_map{pool, [](int x) { return 2 * x; }, std::views::iota(0, 100), 8})
    sum += x;
  std::cout << "on a node: " << sum << '\n';
  return sum == 9900 ? EXIT_SUCCESS : EXIT_FAILURE;
}
