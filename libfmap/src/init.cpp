// SPDX-License-Identifier: BSD-3-Clause
// The first call of a program that uses fmap.

#include "src/init.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmap/init.hpp>

#include "actors/wiring.hpp"
#include "src/remote/child_process.hpp"
#include "src/remote/program.hpp"
#include "src/remote/worker_main.hpp"

namespace fmap {

namespace {

bool called = false;

}  // namespace

void init(int argc, char** argv) {
  called = true;
  constexpr std::size_t length = sizeof remote::worker_flag - 1;
  if (argc != 2 || std::strncmp(argv[1], remote::worker_flag, length) != 0)
    return remote::find_this_program(argc > 0 ? argv[0] : nullptr);
  int socket = -1, recorder = -1;
  if (std::sscanf(argv[1] + length, "%d,%d", &socket, &recorder) == 2)
    remote::worker_main(socket, recorder, actors::make_threads);
  std::fprintf(stderr, "fmap: %s is for worker processes, which fmap starts itself\n", argv[1]);
  std::_Exit(2);
}

bool detail::init_was_called() { return called; }

}  // namespace fmap
