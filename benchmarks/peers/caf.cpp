// SPDX-License-Identifier: BSD-3-Clause
// CAF without batches: one message for each item, each result and each returned token.
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <caf/all.hpp>

#include "../harness.hpp"
#include "actors/caf_compat.hpp"

namespace {

using namespace bench;
using fmap::actors::post;

template <class Work>
caf::behavior worker(caf::event_based_actor*, const Work* work, const caf::actor& consumer) {
  return {[=](int item) { post(consumer, (*work)(item)); }};
}

/// Answers a demand of n with the next n items, to one worker after the other.
template <class Work>
caf::behavior source(caf::event_based_actor*, const Work* work, int count,
                     const std::vector<caf::actor>& workers) {
  return {[=, next = 0](std::uint64_t demand) mutable {
    for (; demand > 0 && next < count; --demand, ++next)
      post(workers[static_cast<std::size_t>(next) % workers.size()], work->make(next));
  }};
}

#if __has_include(<caf/actor_from_state.hpp>)  // CAF 1.x
constexpr char max_threads[] = "caf.scheduler.max-threads";
void init_caf() { caf::core::init_global_meta_objects(); }
#else
constexpr char max_threads[] = "scheduler.max-threads";
void init_caf() {}
#endif

/// For numbers only: other items would have to be made known to CAF.
struct message_by_message {
  template <std::derived_from<number_work> Work>
  void operator()(const shape& s, const Work& work, meter& m) const {
    init_caf();
    caf::actor_system_config config;
    config.set(max_threads, std::size_t{s.workers} + 1);
    caf::actor_system system{config};
    {
      caf::scoped_actor self{system};
      auto consumer = caf::actor_cast<caf::actor>(self);
      std::vector<caf::actor> workers;
      for (unsigned w = 0; w < s.workers; ++w)
        workers.push_back(system.spawn(worker<Work>, &work, consumer));
      auto items = system.spawn(source<Work>, &work, s.count, workers);
      m.start();
      post(items, std::uint64_t{s.buffersize});
      int taken = 0;
      self->receive_for(taken, s.count)([&](int result) {
        m.take(result);
        post(items, std::uint64_t{1});
      });
      m.stop();
      caf::anon_send_exit(items, caf::exit_reason::user_shutdown);
      for (auto& w : workers) caf::anon_send_exit(w, caf::exit_reason::user_shutdown);
    }
  }
};

[[maybe_unused]] const bool entered = enter("caf", message_by_message{});

}  // namespace
