// SPDX-License-Identifier: BSD-3-Clause
// What commands are started with besides their words.
#pragma once

#include <optional>
#include <vector>

#include <sys/resource.h>

namespace fmap::tool {

struct child_surroundings {
  struct limit {
    int resource;
    rlimit value;
  };
  std::vector<limit> limits;
  std::optional<int> nice;  // more than ours
};

}  // namespace fmap::tool
