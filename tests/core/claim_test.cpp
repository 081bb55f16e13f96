// SPDX-License-Identifier: BSD-3-Clause
// A worker that claims the items of its batch while others take the rest away: in every order that there is.

#include <algorithm>
#include <cstdint>

#include <fmap/detail/job.hpp>

#include "support/catch.hpp"
#include "support/interleavings.hpp"

using namespace testing;
using fmap::detail::basic_progress;

namespace {

constexpr std::uint32_t items = 3;

/// Where what the parties share lies; their progress' two atomics come first.
enum cell : std::uint32_t {
  current,
  limit,
  batch_first,
  batch_count,
  too_early,  // something was ready before its result could be seen
  result,     // one for each item
  executed = result + items,
  ready = executed + items,
  cells = ready + items
};

struct batch_model {
  bool fenced;

  basic_progress<traced_memory> progress() const {
    basic_progress<traced_memory> at;
    at.fenced = fenced;
    return at;
  }

  static void make_ready(party& p, std::uint32_t i) {
    if (p.load(result + i) == 0) p.add(too_early);
    p.add(ready + i);
  }

  /// As worker_port::work() and the job do it.
  void worker(party& p) const {
    auto at = progress();
    for (std::uint32_t i = 0;;) {
      for (; at.claim(i); ++i) {
        p.add(executed + i);
        p.store(result + i, 1);
      }
      p.lock();
      const std::uint32_t first = p.load(batch_first), end = first + p.load(batch_count);
      if (i >= end) {
        for (std::uint32_t k = first; k != end; ++k) make_ready(p, k);
        p.store(batch_count, 0);
        p.unlock();
        return;
      }
      at.keep(i);
      p.unlock();
    }
  }

  /// As split() does it; what it takes away is executed by somebody else at once.
  void splitter(party& p) const {
    auto at = progress();
    p.lock();
    const std::uint32_t first = p.load(batch_first), end = first + p.load(batch_count);
    if (end - first > 1) {
      const std::uint32_t kept = std::min(at.freeze(), end - 1);
      for (std::uint32_t k = first; k < kept; ++k) make_ready(p, k);
      for (std::uint32_t k = kept + 1; k < end; ++k) {
        p.add(executed + k);
        p.add(ready + k);
      }
      p.store(batch_first, kept);
      p.store(batch_count, 1);
      at.keep(kept);
    }
    p.unlock();
  }

  interleavings with(memory_rules rules) const {
    interleavings::cells memory(cells);
    memory[limit] = memory[batch_count] = items;
    return {rules,
            memory,
            {[this](party& p) { worker(p); },
             [this](party& p) {
               splitter(p);
               splitter(p);
             }},
            [](const interleavings::cells& m) {
              const auto once = [&](std::uint32_t from) {
                return std::all_of(m.begin() + from, m.begin() + from + items,
                                   [](std::uint32_t n) { return n == 1; });
              };
              return once(executed) && once(ready) && m[too_early] == 0;
            }};
  }
};

}  // namespace

TEST_CASE("in every order each item of a batch that is split is executed once and ready once") {
  for (const bool in_order : {true, false}) {
    for (const bool light_is_free : {true, false}) {
      const auto all =
          batch_model{false}.with({.in_order = in_order, .light_is_free = light_is_free});
      CHECK(all.ends() > 0);
      CHECK(all.wrong() == 0);
      CHECK(all.states() > 1000);
    }
    const auto fenced = batch_model{true}.with({.in_order = in_order});
    CHECK(fenced.ends() > 0);
    CHECK(fenced.wrong() == 0);
  }
}

TEST_CASE("the orders that are tried show that a split needs its fences") {
  CHECK(batch_model{false}.with({.fences_work = false}).wrong() > 0);
  CHECK(batch_model{true}.with({.fences_work = false}).wrong() > 0);
}
