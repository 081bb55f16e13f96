// SPDX-License-Identifier: BSD-3-Clause
// Outcomes of worker processes that say which item they are about.
#include <csignal>
#include <string>
#include <vector>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"

TEST_CASE("keep_items: an item that ends its process is at hand") {
  fmap::process_pool pool{2};
  const std::vector<std::string> words{"a", "die", "ccc"};
  fmap::future_map m{pool,
                     [](const std::string& s) {
                       if (s == "die") std::raise(SIGKILL);
                       return s.size();
                     },
                     words,
                     {.max_attempts = 1, .keep_items = true}};
  std::size_t dead = 0;
  for (const auto& o : m.outcomes()) {
    CHECK(o.item<std::string>() == words[o.index()]);
    if (o) continue;
    ++dead;
    CHECK(o.item<std::string>() == "die");
    CHECK_THAT(o.what(), Catch::Contains("SIGKILL"));
  }
  CHECK(dead == 1);
}
