// SPDX-License-Identifier: BSD-3-Clause
// A program that knows nothing of fmap: it opens a plugin, uses it and closes it, twice.
#include <cstdlib>
#include <iostream>

#include <dlfcn.h>

int main(int argc, char** argv) {
  for (int round = 1; round <= 2; ++round) {
    void* plugin = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
    void* symbol = plugin ? dlsym(plugin, "sum_of_squares") : nullptr;
    const int sum = symbol ? reinterpret_cast<int (*)(int)>(symbol)(10) : 0;
    const bool closed = plugin && dlclose(plugin) == 0;
    if (sum != 385 || !closed) {
      const char* why = dlerror();
      std::cout << "FAILED  a plugin, round " << round << ": " << (why ? why : "wrong sum") << '\n';
      return EXIT_FAILURE;
    }
  }
  std::cout << "ok      a plugin that is opened, used and closed twice\n";
  return EXIT_SUCCESS;
}
