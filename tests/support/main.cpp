// SPDX-License-Identifier: BSD-3-Clause
// main of every test executable.
#include "support/run_catch.hpp"

#ifdef FMAP_TESTS_INIT
#  include <fmap/init.hpp>
#endif

#ifdef __SANITIZE_THREAD__
#  include <thread>
#endif

int main(int argc, char** argv) {
#ifdef __SANITIZE_THREAD__
  // TSan begins a thread of its own with the first one; tests count threads before and after.
  std::thread{[] {}}.join();
#endif
#ifdef FMAP_TESTS_INIT
  fmap::init(argc, argv);  // a worker process of a test starts its work here
#endif
  return run_catch(argc, argv);
}
