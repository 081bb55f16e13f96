// SPDX-License-Identifier: BSD-3-Clause
// The bound across stages: between a source's pull and a slow sink's work there are never more items than
// the stages' bounds together, counted at every step.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <ranges>
#include <thread>

#include <fmap/stage.hpp>

#include "support/catch.hpp"
#include "support/made_range.hpp"
#include "support/puppet.hpp"
#include "support/this_process.hpp"

using namespace testing;

namespace {

/// Counts items that exist, and the most there ever were.
class census {
public:
  void born() {
    const long now = ++alive_;
    for (long seen = most_; now > seen && !most_.compare_exchange_weak(seen, now);) {}
  }
  void gone() { --alive_; }
  long alive() const { return alive_; }
  long most() const { return most_; }

private:
  std::atomic<long> alive_{0}, most_{0};
};

/// Uses the processor.
void toil(int rounds) {
  static std::atomic<long> done{0};
  for (int i = 0; i != rounds; ++i) done.fetch_add(1, std::memory_order_relaxed);
}

/// A user's actor that sends whatever is demanded of it at once, and then the end.
class eager final : public caf::event_based_actor {
public:
  eager(caf::actor_config& config, caf::actor to, int items, census& alive)
      : caf::event_based_actor{config}, to_{std::move(to)}, items_{items}, alive_{alive} {}

  caf::behavior make_behavior() override {
    tell(fmap::attach_source{});
    return {[this](fmap::demand d) {
              for (; d.n != 0 && sent_ != items_; --d.n) {
                alive_.born();
                tell(sent_++);
              }
              if (sent_ != items_) return;
              tell(fmap::end{});
              quit();
            },
            [this](const fmap::stop&) { quit(); }};
  }

private:
  template <class Message>
  void tell(Message m) {
    fmap::actors::send(this, to_, std::move(m));
  }

  const caf::actor to_;
  const int items_;
  census& alive_;
  int sent_ = 0;
};

struct results {
  std::atomic<long> consumed{0}, failed{0};
  std::atomic<bool> over{false};
  std::atomic<std::size_t> memory_early{0};
};

/// A user's actor that is slow and wants a few items at a time.
class slow final : public caf::event_based_actor {
public:
  slow(caf::actor_config& config, caf::actor from, std::uint64_t window, long full, long early,
       census& alive, results& r)
      : caf::event_based_actor{config}, from_{std::move(from)}, window_{window}, full_{full},
        early_{early}, alive_{alive}, results_{r} {}

  caf::behavior make_behavior() override {
    tell(fmap::attach_sink{});
    tell(fmap::demand{window_});
    return {[this](int) { work_off(); },
            [this](const fmap::failure&) {
              ++results_.failed;
              work_off();
            },
            [this](const fmap::end& e) {
              results_.over = !e.reason;
              quit();
            }};
  }

private:
  template <class Message>
  void tell(Message m) {
    fmap::actors::send(this, from_, std::move(m));
  }

  void work_off() {
    if (results_.consumed == 0)  // the stages before it fill up
      eventually([this] { return alive_.alive() > full_; });
    toil(300);
    alive_.gone();
    if (++results_.consumed == early_) results_.memory_early = peak_memory();
    if (++used_ < window_ / 2) return;
    tell(fmap::demand{std::exchange(used_, 0)});
  }

  const caf::actor from_;
  const std::uint64_t window_;
  const long full_, early_;
  census& alive_;
  results& results_;
  std::uint64_t used_ = 0;
};

void three_stages(int items) {
  constexpr std::uint64_t bounds[] = {64, 7, 256}, window = 32;
  census alive;
  results r;
  {
    fmap::actor_system_config config;
    caf::actor_system system{config};
    const auto taking = [](int rounds) {
      return [rounds](int x) {
        toil(rounds);
        if (rounds != 0 && x % 1000 == rounds) throw 1;
        return x;
      };
    };
    const auto stage = [&](int rounds, std::size_t workers, std::uint64_t bound) {
      return fmap::spawn_stage<int, int>(system, taking(rounds),
                                         {.workers = workers, .buffersize = bound});
    };
    const caf::actor a = stage(2, 1, bounds[0]), b = stage(60, 2, bounds[1]),
                     c = stage(0, 1, bounds[2]);
    fmap::connect(a, b);
    fmap::connect(b, c);
    // A stage keeps its neighbours alive as little as they keep it.
    const caf::actor down = system.spawn<slow>(c, window, static_cast<long>(bounds[2]), items / 10,
                                               std::ref(alive), std::ref(r)),
                     up = system.spawn<eager>(a, items, std::ref(alive));
    const obituary end{down};
    for (long before = -1; end.alive() && r.consumed != before;) {
      before = r.consumed;
      eventually([&] { return !end.alive(); });
    }
    CHECK_FALSE(end.alive());
  }
  CHECK(r.over);
  CHECK(r.consumed == items);
  CHECK(r.failed == 2 * items / 1000);
  CHECK(alive.most() <= static_cast<long>(bounds[0] + bounds[1] + bounds[2] + window));
  CHECK(alive.most() > static_cast<long>(bounds[2]));
  if (!memory_is_watched) CHECK(peak_memory() < r.memory_early + 8 * 1024);
}

}  // namespace

TEST_CASE(
    "200,000 items through three stages of different speed: the bound holds, memory is flat") {
  three_stages(200'000);
}

TEST_CASE("10,000,000 items through three stages of different speed", "[.long]") {
  three_stages(10'000'000);
}

TEST_CASE("a ready-made source and sink keep the bound as well") {
  census alive;
  std::atomic<long> calls{0};
  caf::actor_system_config config;
  caf::actor_system system{config};
  made_range input{[&](std::uint64_t i) {
                     alive.born();
                     return static_cast<int>(i);
                   },
                   20'000};
  const caf::actor source = fmap::spawn_source(system, std::move(input)),
                   stage = fmap::spawn_stage<int, int>(system, [](int x) { return x; },
                                                       {.workers = 2, .buffersize = 32}),
                   sink = fmap::spawn_sink<int>(system,
                                                [&](int) {
                                                  toil(50);
                                                  alive.gone();
                                                  ++calls;
                                                },
                                                {.buffersize = 8});
  const obituary end{sink};
  fmap::connect(source, stage);
  fmap::connect(stage, sink);
  CHECK(end.awaited() == "");
  CHECK(calls == 20'000);
  CHECK(alive.most() <= 32 + 8);
}
