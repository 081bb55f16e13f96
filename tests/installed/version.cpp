// SPDX-License-Identifier: BSD-3-Clause
// A user's program that asks for versions. It prints that of its headers, as text.
#include <iostream>

#include <caf/config.hpp>

#include <fmap/version.hpp>

#if FMAP_VERSION != FMAP_VERSION_MAJOR * 10000 + FMAP_VERSION_MINOR * 100 + FMAP_VERSION_PATCH
#  error "FMAP_VERSION"
#endif

int main() {
  std::cout << FMAP_VERSION_STRING << '\n';
  return fmap::version() != FMAP_VERSION;
}
