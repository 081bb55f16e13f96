// SPDX-License-Identifier: BSD-3-Clause
// A program that has not called fmap::init gets no process pool, but is told why.
#include <cstdio>
#include <stdexcept>
#include <string>

#include <fmap/process_pool.hpp>

int main() {
  try {
    fmap::process_pool pool{1};
  } catch (const std::logic_error& e) {
    return std::string{e.what()}.find("fmap::init") == std::string::npos;
  }
  std::puts("no exception");
  return 1;
}
