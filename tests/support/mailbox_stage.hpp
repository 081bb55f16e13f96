// SPDX-License-Identifier: BSD-3-Clause
// A shared mailbox of which one thread plays the source, the workers, the supervisor and the sink.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fmap/detail/function_job.hpp>
#include <fmap/detail/range_input.hpp>

#include "src/kernel/working_in.hpp"
#include "support/every_port.hpp"
#include "support/made_range.hpp"

namespace testing {

using namespace fmap::actors;
using fmap::detail::function_job;
using fmap::detail::range_input;

using function = std::function<int(int)>;
using supply = std::function<int(std::uint64_t)>;
using fmap::actors::next_result;
using fmap::actors::pulled;
namespace tuning = fmap::kernel::tuning;

/// Knows how often it was rung.
struct counting_bell final : doorbell {
  int rung = 0;
  void ring() noexcept override { ++rung; }
};

/// Somebody at the mailbox who is called when the test says so.
struct hand_worker {
  explicit hand_worker(every_port& box) : box{box} {
    place.supervised = true;
    box.join(place, bell);
  }
  bool work() { return box.work(place); }

  every_port& box;
  std::shared_ptr<counting_bell> bell = std::make_shared<counting_bell>();
  worker place;
};

/// A stub at the mailbox; what it takes is executed when the test says so.
struct hand_stub {
  explicit hand_stub(every_port& box) : box{box} { box.join_remote(place, bell, 1, 1000); }

  parcel take() { return box.take(place); }
  void finish(const parcel& p, std::chrono::nanoseconds each) {
    const std::uint32_t first = p.in->offset(p.items.first);
    place.at.limit = first + p.items.count;
    p.of->work->apply(*p.in, first, place.at, 0);
    box.finished(*p.of, place.id, p.items.first, p.items.count, each * p.items.count);
  }

  every_port& box;
  std::shared_ptr<counting_bell> bell = std::make_shared<counting_bell>();
  worker place;
};

/// A mailbox, and the bells of those who are played by the test.
struct stage {
  explicit stage(std::uint32_t workers) : mailbox{workers} { box.set_supervisor(supervisor); }

  run_ptr open(const run_limits& limits, std::shared_ptr<job> work, supply make,
               std::uint64_t size) {
    using range = testing::made_range<supply>;
    run_ptr r = box.open(limits, std::move(work),
                         std::make_unique<range_input<range>>(range{std::move(make), size}), sink);
    box.attach(*r, source);
    return r;
  }

  run_ptr open(const run_limits& limits, function fn, std::uint64_t size = 1'000'000) {
    return open(
        limits, std::make_shared<function_job<int, function>>(std::move(fn)),
        [](std::uint64_t i) { return static_cast<int>(i); }, size);
  }

  /// Its input is at hand.
  run_ptr open_at_hand(const run_limits& limits, function fn, std::vector<int>& items) {
    run_ptr r = box.open(limits, std::make_shared<function_job<int, function>>(std::move(fn)),
                         std::make_unique<range_input<std::vector<int>&>>(items), sink);
    box.pull_by_workers(*r);
    return r;
  }

  /// As far as the tokens go.
  void pull_all(run& r) {
    while (box.pull(r) == pulled::something) {}
  }

  /// All that is ready, as the consumer would take it; -1 for an error.
  std::vector<int> take(run& r) {
    std::vector<int> results;
    outcome_span s;
    while ((last = box.next(r, s)) == next_result::outcomes) {
      for (std::uint32_t i = s.end - s.count; i != s.end; ++i) {
        const bool error = s.in->state(i) == fmap::detail::slot_state::error;
        results.push_back(error ? -1 : *static_cast<int*>(s.in->at(i)));
        r.work->clear(*s.in, i, i + 1);
        ++r.seen.taken;
      }
    }
    return results;
  }

  shared_mailbox mailbox;
  every_port box{mailbox};
  std::shared_ptr<counting_bell> supervisor = std::make_shared<counting_bell>(),
                                 source = std::make_shared<counting_bell>(),
                                 sink = std::make_shared<counting_bell>();
  next_result last{};
};

/// Only lets time pass; waits for nobody.
inline void outlast(std::chrono::microseconds time) {
  const auto until = fmap::actors::clock::now() + time;
  while (fmap::actors::clock::now() <= until) {}
}

/// Long enough for tick() to set free what is withheld.
inline void outlast_patience() { outlast(tuning::withhold_at_most); }

inline std::exception_ptr cause() { return std::make_exception_ptr(std::runtime_error{"cause"}); }

}  // namespace testing
