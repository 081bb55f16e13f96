// SPDX-License-Identifier: BSD-3-Clause
// The ledger with 1 to 1000 nodes in simulated time: their threads have work, also after a loss.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"
#include "support/node_simulation.hpp"
#include "support/watched_memory.hpp"

using namespace testing;

namespace {

constexpr double ms = 1000;

struct row {
  simulated_nodes nodes;
  double time, least, most;
};

}  // namespace

TEST_CASE("ledger: the threads of nodes have work, as far as the pool can send it") {
  // The pool needs 4 us for a message and 80 ns for an item: 12.5 million items a second at best.
  const row r = GENERATE(row{{1, 64, 1 * ms, 200}, 100 * ms, 0.98, 1.02},
                         row{{16, 64, 1 * ms, 200}, 100 * ms, 0.98, 1.02},
                         row{{16, 64, 10 * ms, 200}, 300 * ms, 0.95, 1.05},
                         row{{100, 64, 10 * ms, 200}, 300 * ms, 0.95, 1.05},
                         row{{16, 64, 10 * ms, 50 * ms}, 500 * ms, 0.9, 1.05},
                         row{{16, 64, 1 * ms, 50 * ms}, 500 * ms, 0.72, 1.02},
                         row{{1000, 64, 100 * ms, 200}, 400 * ms, 0.85, 1.1},
                         row{{1000, 64, 10 * ms, 200}, 100 * ms, 0.36, 0.8},
                         row{{32, 2000, 10 * ms, 400, 1 * ms}, 100 * ms, 0.62, 1});
  if (memory_is_watched && r.nodes.nodes * r.nodes.threads > 2000) return;
  node_simulation s{r.nodes};
  s.pass(r.nodes.nodes == 1000 ? 500 * ms : 300 * ms);
  const double used = s.utilisation(r.time);
  INFO(r.nodes.nodes << " x " << r.nodes.threads << ", items of " << r.nodes.item << " us, "
                     << r.nodes.round_trip << " us there and back, items a message "
                     << s.items_for_each_message());
  CHECK(used >= r.least);
  CHECK(used <= r.most);
}

TEST_CASE("ledger: neither a crash nor the loss of a node keeps the other nodes from work") {
  node_simulation s{{100, 64, 10 * ms, 200}};
  s.pass(200 * ms);
  const double rate = static_cast<double>(s.pass(100 * ms)) / 20;  // in 5 ms
  for (const bool lost : {false, true}) {
    std::vector<std::uint64_t> executed;
    if (lost)
      s.node_is_lost(0);
    else
      s.item_dies(0);
    for (int i = 0; i != 12; ++i) executed.push_back(s.pass(5 * ms));
    CAPTURE(lost, rate, executed);
    CHECK(static_cast<double>(*std::min_element(executed.begin(), executed.end())) >= 0.9 * rate);
  }
  CHECK(s.counts().retried == 1);
  CHECK(s.counts().quarantined == 0);
  CHECK(s.l.audit());
}
