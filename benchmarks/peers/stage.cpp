// SPDX-License-Identifier: BSD-3-Clause
// A stage of fmap's between a source of fmap's and an actor that demands results.
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ranges>

#include <caf/all.hpp>

#include <fmap/stage.hpp>

#include "../harness.hpp"

namespace {

using namespace bench;

/// For numbers only, as the peer without batches.
struct stage_between_actors {
  template <std::derived_from<number_work> Work>
  void operator()(const shape& s, const Work& work, meter& m) const {
    fmap::actor_system_config config;
    caf::actor_system system{config};
    {
      caf::scoped_actor self{system};
      const auto consumer = caf::actor_cast<caf::actor>(self);
      const auto source = fmap::spawn_source(system, std::views::iota(0, s.count));
      const auto stage = fmap::spawn_stage<int, int>(
          system, work, {.workers = s.workers, .buffersize = s.buffersize});
      const auto tell = [&](auto message) {
        fmap::actors::send_as(consumer, stage, caf::make_message(message));
      };
      const auto group = std::max<std::uint64_t>(s.buffersize / 8, 1);
      m.start();
      fmap::connect(source, stage);
      tell(fmap::attach_sink{});
      tell(fmap::demand{s.buffersize});
      std::uint64_t used = 0;
      bool more = true;
      self->receive_while(more)(
          [&](int result) {
            m.take(result);
            if (++used < group) return;
            tell(fmap::demand{used});
            used = 0;
          },
          [&](const fmap::end&) { more = false; });
      m.stop();
    }
  }
};

[[maybe_unused]] const bool entered = enter("stage", stage_between_actors{});

}  // namespace
