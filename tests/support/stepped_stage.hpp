// SPDX-License-Identifier: BSD-3-Clause
// Stages and sinks with their workers on a system that is run step by step.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <fmap/detail/function_job.hpp>
#include <fmap/stage.hpp>

#include "actors/message_run.hpp"
#include "actors/sink/sink.hpp"
#include "actors/stage/stage.hpp"
#include "actors/wiring.hpp"
#include "support/caf_testing.hpp"
#include "support/puppet.hpp"
#include "support/stepped_pool.hpp"

namespace testing {

/// Between two actors of the test's: `up` and `down`, on a world of their own. Everything happens in the
/// test's thread, in an order drawn from a seed.
class stage_rig {
public:
  using function = std::function<int(int)>;

  explicit stage_rig(std::uint64_t seed = 1)
      : world{seed}, up{world.system()}, down{world.system()}, stranger{world.system()} {}

  ~stage_rig() {
    stage = nullptr;
    for (puppet* p : {&up, &down, &stranger}) p->dies(death::exit_message);
    settle();
  }

  static fmap::actors::run_limits bound(std::uint64_t buffersize, bool ordered = false) {
    fmap::actors::run_limits limits;
    limits.buffersize = buffersize;
    limits.ordered = ordered;
    return limits;
  }

  std::shared_ptr<fmap::actors::thread_core> pool(std::uint32_t workers) {
    return std::make_shared<fmap::actors::thread_core>(world.system(), nullptr, workers,
                                                       std::function<void()>{},
                                                       fmap::actors::threads::scheduled);
  }

  /// A stage with a pool of its own.
  caf::actor& start(function fn, const fmap::actors::run_limits& limits,
                    std::uint32_t workers = 1) {
    return start(pool(workers), true, std::move(fn), limits);
  }

  caf::actor& start(std::shared_ptr<fmap::detail::pool_core> on, bool own, function fn,
                    const fmap::actors::run_limits& limits) {
    stage = make<fmap::actors::stage>(std::move(on), own, std::move(fn), limits,
                                      std::make_shared<fmap::detail::typed_stage<int, int>>());
    return stage;
  }

  /// A sink with a worker of its own; `fn` also gets the text of failures.
  using consumer = std::function<void(int)>;
  caf::actor start_sink(consumer fn, std::uint64_t buffersize) {
    using call = fmap::detail::sink_call<int, consumer>;
    using item = fmap::detail::sink_types<int>::item;
    return fmap::actors::spawn<fmap::actors::sink>(
        world.system(), fmap::actors::threads::scheduled,
        std::make_unique<fmap::actors::message_run>(
            pool(1), true, bound(buffersize),
            std::make_shared<fmap::detail::function_job<item, call>>(call{std::move(fn), nullptr})),
        std::make_shared<fmap::detail::sink_types<int>>());
  }

  /// Attaches both neighbours, which then hear nothing of it any more.
  void attach() {
    up.tells(stage, fmap::attach_source{});
    down.tells(stage, fmap::attach_sink{});
    settle();
    up.heard();
  }

  void send(int first, int count) {
    for (int i = first; i != first + count; ++i) up.tells(stage, i);
    settle();
  }

  /// Lets everybody do what there is to do, and time pass as long as somebody waits for it.
  void settle() {
    do world.settle();
    while (world.advance(fmap::kernel::tuning::tick_longest));
  }

  /// Gives up what should be the last handle to an actor.
  void drop(caf::actor& last) {
    settle();
    world.forget();
    last = nullptr;
    settle();
  }

  /// Nobody of the test's has ended.
  bool all_alive() const { return up.alive() && down.alive() && stranger.alive(); }

  stepped_system world;
  puppet up, down, stranger;
  caf::actor stage;

private:
  template <class Actor, class Types>
  caf::actor make(std::shared_ptr<fmap::detail::pool_core> on, bool own, function fn,
                  const fmap::actors::run_limits& limits, std::shared_ptr<Types> types) {
    return fmap::actors::spawn<Actor>(
        world.system(), fmap::actors::threads::scheduled,
        std::make_unique<fmap::actors::message_run>(
            std::move(on), own, limits,
            std::make_shared<fmap::detail::function_job<int, function>>(std::move(fn))),
        std::move(types));
  }
};

}  // namespace testing
