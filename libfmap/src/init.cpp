// SPDX-License-Identifier: BSD-3-Clause
// The first call of a program that uses fmap.

#include "src/init.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmap/detail/node_main.hpp>
#include <fmap/init.hpp>

#include "actors/wiring.hpp"
#include "src/remote/child_process.hpp"
#include "src/remote/program.hpp"
#include "src/remote/worker_main.hpp"

namespace fmap {

namespace {

bool called = false;
detail::node_main be_node = nullptr;

/// By a flag, or by a variable.
bool is_to_be_node(int argc, char** argv) {
  constexpr char flag[] = "--fmap-node=";
  for (int i = 1; i < argc; ++i)
    if (std::strncmp(argv[i], flag, sizeof flag - 1) == 0) return true;
  const char* const variable = std::getenv("FMAP_NODE");
  return variable != nullptr && *variable != '\0';
}

void init_no_worker(int argc, char** argv) {
  remote::find_this_program(argc > 0 ? argv[0] : nullptr);
  if (!is_to_be_node(argc, argv)) return;
  if (be_node != nullptr) be_node(argc, argv);
  std::fprintf(stderr, "fmap: this program has no node_pool: link fmap::nodes and include "
                       "<fmap/node_pool.hpp> to start it as a node\n");
  std::_Exit(2);
}

}  // namespace

void init(int argc, char** argv) {
  called = true;
  constexpr std::size_t length = sizeof remote::worker_flag - 1;
  if (argc != 2 || std::strncmp(argv[1], remote::worker_flag, length) != 0)
    return init_no_worker(argc, argv);
  int socket = -1, recorder = -1;
  if (std::sscanf(argv[1] + length, "%d,%d", &socket, &recorder) == 2)
    remote::worker_main(socket, recorder, actors::make_threads);
  std::fprintf(stderr, "fmap: %s is for worker processes, which fmap starts itself\n", argv[1]);
  std::_Exit(2);
}

bool detail::init_was_called() { return called; }

bool detail::set_node_main(node_main run) noexcept {
  be_node = run;
  return true;
}

}  // namespace fmap
