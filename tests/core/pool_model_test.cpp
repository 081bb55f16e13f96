// SPDX-License-Identifier: BSD-3-Clause
// A whole pool in virtual time: the real mailbox, its parties as threads of which one runs at a time. In debug builds
// the mailbox checks itself after each visit; here it is what its parties see of it.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmap/detail/function_job.hpp>
#include <fmap/detail/range_input.hpp>

#include "support/catch.hpp"
#include "support/every_port.hpp"
#include "support/input_said_to_be.hpp"
#include "support/made_range.hpp"
#include "support/seed.hpp"
#include "support/virtual_world.hpp"

using testing::virtual_world;
using namespace fmap::kernel;
using namespace std::chrono_literals;

// This program's clock, and what its threads do when they give way.

namespace std::chrono {
inline namespace _V2 {
steady_clock::time_point steady_clock::now() noexcept {
  if (virtual_world::current != nullptr) return time_point{virtual_world::current->look_at_clock()};
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return time_point{seconds{t.tv_sec} + nanoseconds{t.tv_nsec}};
}
}  // namespace _V2
}  // namespace std::chrono

extern "C" int sched_yield() noexcept {
  if (virtual_world::current == nullptr) return static_cast<int>(::syscall(SYS_sched_yield));
  virtual_world::current->spend(virtual_world::turn);
  return 0;
}

namespace {

using ns = std::chrono::nanoseconds;

/// How long things take in a map.
struct plan {
  std::uint32_t workers;
  std::uint64_t bound, items;
  std::function<ns(std::uint64_t)> source, function, consumer;
  bool at_hand = false;
};

/// What came of it.
struct outcome_of_plan {
  std::vector<int> times_seen;
  ns longest_withheld{}, took{};
  std::uint64_t peak = 0;
  int calls = 0;  // of source, workers and consumer
};

ns none(std::uint64_t) { return 0ns; }

/// Plays it.
class model {
public:
  explicit model(plan p) : plan_{std::move(p)} { result_.times_seen.resize(plan_.items); }

  outcome_of_plan play() {
    port_.set_supervisor(supervisor_);
    world_.spawn([this] { supervise(); });
    open();
    const ns begun = world_.time();
    consume();
    result_.took = world_.time() - begun;
    result_.peak = port_.stats(*run_).counts.peak_in_flight;
    port_.close(*run_);
    port_.shut_down();
    world_.see_out();
    for (const auto& b : bells_) result_.calls += b->times_rung;
    return std::move(result_);
  }

private:
  using bell_ptr = std::shared_ptr<virtual_world::bell>;

  bell_ptr make_bell() {
    return bells_.emplace_back(std::make_shared<virtual_world::bell>(world_));
  }

  void spend(ns time) {
    if (time != 0ns) world_.spend(time);
  }

  void open() {
    using result_of_item = std::pair<std::uint64_t, ns>;
    auto make = [this](std::uint64_t i) { return spend(plan_.source(i)), i; };
    auto fn = [this](std::uint64_t i) {
      spend(plan_.function(i));
      return result_of_item{i, world_.time()};
    };
    using range = testing::made_range<decltype(make)>;
    run_ = port_.open(
        {.buffersize = plan_.bound},
        std::make_shared<fmap::detail::function_job<std::uint64_t, decltype(fn)>>(std::move(fn)),
        std::make_unique<testing::input_said_to_be>(
            plan_.at_hand, std::make_unique<fmap::detail::range_input<range>>(
                               range{std::move(make), plan_.items})),
        sink_);
    if (plan_.at_hand) return port_.pull_by_workers(*run_);
    const bell_ptr bell = make_bell();
    world_.spawn([this, bell] {
      do bell->wait();
      while (port_.pull(*run_) != pulled::over);
      port_.detach(*run_, nullptr);
    });
    port_.attach(*run_, bell);
  }

  /// As fmap::detail::sink does it.
  void consume() {
    spinner spin;
    outcome_span s;
    for (bool will_sleep = false;;) {
      const next_result next = will_sleep ? port_.next(*run_, s) : port_.next_looking(*run_, s);
      if (next == next_result::end) return;
      if (next == next_result::outcomes) {
        take(s);
        will_sleep = false;
      } else if (!will_sleep) {
        will_sleep = !look(spin);
      } else {
        will_sleep = false;
        if (!run_->out.ticks)
          sink_->wait();
        else if (!sink_->wait(world_.time() + tuning::tick))
          port_.tick_now();
      }
    }
  }

  bool look(spinner& spin) {
    const auto there = [this] { return run_->seen.something_for_sink.load(); };
    switch (lingers(role::sink, run_->seen.size, false)) {
      case patience::none: return false;
      case patience::forgets: return spin.wait(there);
      default: return spin.wait_briefly(there);
    }
  }

  void take(const outcome_span& s) {
    const ns now = world_.time();
    for (std::uint32_t i = s.end - s.count; i != s.end; ++i) {
      const auto [index, done] = *static_cast<std::pair<std::uint64_t, ns>*>(s.in->value(i));
      ++result_.times_seen[index];
      result_.longest_withheld = std::max(result_.longest_withheld, now - done);
      run_->work->clear(*s.in, i, i + 1);
      ++run_->seen.taken;
      spend(plan_.consumer(index));
    }
  }

  void supervise() {
    ns next = virtual_world::never;
    for (;;) {
      supervisor_->wait(next);
      const duties d = port_.take_duties();
      for (std::uint32_t i = 0; i != d.start; ++i) world_.spawn([this] { work(); });
      if (d.quit) return;
      if (d.tick) {
        next = world_.time() + tuning::tick;
      } else if (world_.time() >= next) {
        const auto pause = port_.tick();
        next = pause.count() != 0 ? world_.time() + pause : virtual_world::never;
      }
    }
  }

  void work() {
    const bell_ptr bell = make_bell();
    worker w;
    w.supervised = true;
    port_.join(w, bell);
    while (port_.work(w)) bell->wait();
    port_.leave(w);
  }

  plan plan_;
  outcome_of_plan result_;
  virtual_world world_;
  shared_mailbox box_{plan_.workers};
  testing::every_port port_{box_};
  std::vector<bell_ptr> bells_;
  bell_ptr supervisor_ = std::make_shared<virtual_world::bell>(world_), sink_ = make_bell();
  run_ptr run_;
};

void check(const plan& p, const outcome_of_plan& o) {
  CHECK(std::all_of(o.times_seen.begin(), o.times_seen.end(), [](int n) { return n == 1; }));
  CHECK(o.peak <= p.bound);
}

/// The tick comes every two milliseconds at the least, then looks at what is older than a fifth of one, and a tick
/// in passing may come just before that.
constexpr ns at_worst = tuning::tick_rare + tuning::withhold_at_most + tuning::tick;

}  // namespace

TEST_CASE("model: a slow item holds up no other for longer than 2.7 milliseconds") {
  const bool at_hand = GENERATE(false, true);
  const plan p{.workers = 2,
               .bound = 256,
               .items = 4000,
               .source = none,
               .function = [](std::uint64_t i) { return i % 997 == 500 ? ns{20ms} : ns{2us}; },
               .consumer = none,
               .at_hand = at_hand};
  const outcome_of_plan o = model{p}.play();
  check(p, o);
  CHECK(o.longest_withheld <= at_worst);
  CHECK(o.longest_withheld >= 100us);  // or nothing was withheld at all
}

TEST_CASE("model: a source that stalls withholds nothing for longer than 2.7 milliseconds") {
  const plan p{.workers = 2,
               .bound = 256,
               .items = 3000,
               .source = [](std::uint64_t i) { return i % 500 == 450 ? ns{20ms} : ns{200ns}; },
               .function = [](std::uint64_t) { return 1us; },
               .consumer = none};
  const outcome_of_plan o = model{p}.play();
  check(p, o);
  CHECK(o.longest_withheld <= at_worst);
}

TEST_CASE("model: there is a call for dozens of fine-grained items, and for each coarse one at "
          "most a few") {
  struct row {
    ns cost;
    std::uint64_t items;
    double calls_per_item;
  };
  const row r = GENERATE(row{100ns, 20'000, 0.02}, row{2us, 5000, 0.1}, row{1ms, 300, 4});
  const bool at_hand = GENERATE(false, true);
  CAPTURE(r.cost.count(), at_hand);
  const plan p{.workers = 2,
               .bound = 256,
               .items = r.items,
               .source = none,
               .function = [&](std::uint64_t) { return r.cost; },
               .consumer = none,
               .at_hand = at_hand};
  const outcome_of_plan o = model{p}.play();
  check(p, o);
  CHECK(o.calls <= r.calls_per_item * static_cast<double>(r.items));
}

TEST_CASE("model: whatever takes how long, each item comes out once, within the bound") {
  const std::uint64_t seed = testing::seed();
  INFO(testing::seed_message(seed));
  testing::dice d{seed};
  const std::vector<ns> times{0ns, 0ns, 50ns, 1us, 15us, 300us};
  for (int round = 0; round != 30; ++round) {
    const auto some = [&] {
      const ns usual = times[d.below(times.size())], rare = times[d.below(times.size())];
      const std::uint64_t every = 1 + d.below(50);
      return [=](std::uint64_t i) { return i % every == 0 ? 4 * rare : usual; };
    };
    const plan p{.workers = static_cast<std::uint32_t>(1 + d.below(4)),
                 .bound = 1 + d.below(d.one_in(2) ? 4 : 300),
                 .items = d.below(300),
                 .source = some(),
                 .function = some(),
                 .consumer = some(),
                 .at_hand = d.one_in(2)};
    check(p, model{p}.play());
  }
}
