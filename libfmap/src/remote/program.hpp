// SPDX-License-Identifier: BSD-3-Clause
// Where this program's executable is, for worker processes to run.
#pragma once

#include <string>

namespace fmap::remote {

struct program {
  std::string path;  ///< to be executed
  std::string name;  ///< as this process was called
};

/// Finds out, from inside of `main`, with its first argument. Usually the path is /proc/self/exe, which stays good
/// when the file is replaced. That is another program's where one has loaded this one (ld.so, valgrind), and
/// nothing where /proc is not mounted.
void find_this_program(const char* name);

const program& this_program();

}  // namespace fmap::remote
