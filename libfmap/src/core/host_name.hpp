// SPDX-License-Identifier: BSD-3-Clause
// The name of this machine.
#pragma once

#include <string>

#include <unistd.h>

namespace fmap::detail {

/// As the system knows it; "localhost" if it does not tell.
inline std::string host_name() {
  char name[256] = "localhost";
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace fmap::detail
