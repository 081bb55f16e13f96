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

struct work {
  void operator()() const {
    for (int i = 0; i != rounds; ++i) done.fetch_add(1, std::memory_order_relaxed);
  }
  int rounds = 0;
  static inline std::atomic<long> done{0};
};

/// A user's actor that sends whatever is demanded of it at once, and then the end.
caf::behavior eager(caf::event_based_actor* self, caf::actor to, int items, census& items_alive) {
  fmap::actors::send(self, to, fmap::attach_source{});
  return {[=, &items_alive, sent = 0](const fmap::demand& d) mutable {
            for (std::uint64_t i = 0; i != d.n && sent != items; ++i) {
              items_alive.born();
              fmap::actors::send(self, to, sent++);
            }
            if (sent == items && items >= 0) {
              fmap::actors::send(self, to, fmap::end{});
              self->quit();
            }
          },
          [self](const fmap::stop&) { self->quit(); }};
}

struct results {
  std::atomic<long> consumed{0}, failed{0};
  std::atomic<bool> over{false};
  std::size_t memory_early = 0;
};

/// A user's actor that is slow and wants a few items at a time.
caf::behavior slow(caf::event_based_actor* self, caf::actor from, std::uint64_t window, int rounds,
                   long early, census& items_alive, results& r) {
  fmap::actors::send(self, from, fmap::attach_sink{});
  fmap::actors::send(self, from, fmap::demand{window});
  const auto count = [=, &items_alive, &r, used = std::uint64_t{0}]() mutable {
    work{rounds}();
    items_alive.gone();
    if (++r.consumed == early) r.memory_early = peak_memory();
    if (++used < std::max<std::uint64_t>(window / 2, 1)) return;
    fmap::actors::send(self, from, fmap::demand{used});
    used = 0;
  };
  // One handler for both, so that they share the count.
  auto shared = std::make_shared<decltype(count)>(count);
  return {[shared](int) { (*std::const_pointer_cast<std::remove_const_t<decltype(count)>>(shared))(); },
          [shared, &r](const fmap::failure&) {
            ++r.failed;
            (*std::const_pointer_cast<std::remove_const_t<decltype(count)>>(shared))();
          },
          [self, &r](const fmap::end&) {
            r.over = true;
            self->quit();
          }};
}

void three_stages(int items) {
  constexpr long bounds[] = {64, 7, 256};
  constexpr std::uint64_t window = 32;
  census items_alive;
  results r;
  {
    fmap::actor_system_config config;
    caf::actor_system system{config};
    const auto after = [](int rounds) {
      return [rounds](int x) {
        work{rounds}();
        if (x % 1000 == 999) throw 1;
        return x;
      };
    };
    const caf::actor a = fmap::spawn_stage<int, int>(system, after(2),
                                                     {.workers = 1, .buffersize = bounds[0]}),
                     b = fmap::spawn_stage<int, int>(system, after(60),
                                                     {.workers = 2, .buffersize = bounds[1]}),
                     c = fmap::spawn_stage<int, int>(system, after(0),
                                                     {.workers = 1, .buffersize = bounds[2]});
    // A failure ends at the next stage, which only passes on what are items.
    fmap::connect(a, b);
    fmap::connect(b, c);
    system.spawn(eager, a, items, std::ref(items_alive));
    const obituary end{system.spawn(slow, c, window, 100, static_cast<long>(items) / 10,
                                    std::ref(items_alive), std::ref(r))};
    eventually([&] { return !end.alive(); }, std::chrono::minutes{20});
  }
  CHECK(r.over);
}

}  // namespace
