// SPDX-License-Identifier: BSD-3-Clause
// Who is called at once, who is called later, and why. Pure: decides and does nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "src/kernel/tempo.hpp"
#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

/// What is to be done about a party.
enum class act : std::uint8_t {
  none,
  later,   ///< the tick will: it is asked for
  now,     ///< it is called
  start,   ///< the supervisor starts a worker
  reserve  ///< a reserve is called, and the tick looks after it
};

/// And why.
enum class because : std::uint8_t {
  nothing_to_do,
  nobody_to_call,
  someone_soon,  ///< somebody who is awake will have it done sooner than a sleeper is up
  too_few,
  backing_off,    ///< a start has failed lately
  all_blocked,    ///< tasks wait, and no worker more may be started
  backlog,        ///< there is work, and nobody will come for it soon
  worth_it,       ///< there is enough of it
  over,           ///< nothing more will come
  starving,       ///< workers sleep, and nothing is queued
  stalled,        ///< nothing of this run moves any more
  at_once,        ///< somebody wants it, or nobody ticks
  number_of_them  ///< no reason
};

struct decision {
  act what;
  because why;

  friend constexpr bool operator==(const decision&, const decision&) = default;
};

enum class urgency : std::uint8_t { usual, at_once };

/// Calls a worker, or has one started.
/// Scene: work(), asleep(), may_start(), blocked(), backlog(), someone_soon(), taker(urgency), backing_off().
template <class Scene>
constexpr decision call_worker(const Scene& s, urgency u) {
  if (!s.work()) return {act::none, because::nothing_to_do};
  if (!s.asleep() && !s.may_start())
    return s.blocked() ? decision{act::reserve, because::all_blocked}
                       : decision{act::none, because::nobody_to_call};
  // If an item of the one that is awake proves slow, the tick calls another.
  if (u == urgency::usual && s.backlog() < tuning::wake_up && s.someone_soon())
    return {act::later, because::someone_soon};
  if (s.taker(u)) return {act::now, because::backlog};
  // A stub that waits for more. It may do so for long where that is a full batch.
  if (s.asleep() && (u == urgency::usual || !s.may_start())) return {act::later, because::too_few};
  if (s.backing_off()) return {act::later, because::backing_off};
  return {act::start, because::backlog};
}

/// Whether a consumer should come for what is ready, whether it sleeps or looks. One that looks for fine-grained
/// items comes for any number. Scene: anything(), over(), size(), looking(), ready(), worth(), stalled(), starving().
template <class Scene>
constexpr decision worth_coming(const Scene& s) {
  if (!s.anything()) return {act::none, because::nothing_to_do};
  if (s.over()) return {act::now, because::over};
  if (s.size() == grain::fine && s.looking()) return {act::now, because::worth_it};
  if (s.ready() >= s.worth()) return {act::now, because::worth_it};
  if (s.stalled()) return {act::now, because::stalled};
  if (s.size() != grain::fine && s.starving()) return {act::now, because::starving};
  return {act::later, because::too_few};
}

/// Calls a consumer, of whom it is known whether it should come.
constexpr decision call_sink(bool asleep, decision coming, urgency u) {
  if (coming.what == act::none) return coming;
  if (!asleep) return {act::none, because::nobody_to_call};
  return u == urgency::at_once ? decision{act::now, because::at_once} : coming;
}

/// Calls a source; of a run at hand `now` means to call a worker.
/// Scene: could_pull(), free(), worth(), size(), sink_asleep(), stalled(), starving().
template <class Scene>
constexpr decision call_source(const Scene& s, urgency u) {
  if (!s.could_pull()) return {act::none, because::nothing_to_do};
  if (u == urgency::at_once) return {act::now, because::at_once};
  if (s.free() >= s.worth()) return {act::now, because::worth_it};
  if (s.size() == grain::fine) {
    if (s.sink_asleep() && s.stalled()) return {act::now, because::stalled};
  } else if (s.starving()) {
    return {act::now, because::starving};
  }
  return {act::later, because::too_few};
}

/// How somebody who finds nothing looks before it sleeps.
enum class patience : std::uint8_t {
  none,
  brief,   ///< a few looks
  turn,    ///< the same, and until the others on its processor have had their turn
  forgets  ///< many looks; less often while they are in vain
};

enum class role : std::uint8_t { source, sink, worker };

/// Fine-grained items may come right away. Of the workers of a pool one looks for them at a time.
constexpr patience lingers(role who, grain size, bool another_looks) {
  switch (size) {
    case grain::fine: return another_looks ? patience::none : patience::forgets;
    case grain::medium: return who == role::worker ? patience::turn : patience::brief;
    default: return patience::none;
  }
}

}  // namespace fmap::kernel
