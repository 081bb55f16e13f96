// SPDX-License-Identifier: BSD-3-Clause
// What becomes of an item whose worker was lost.
#pragma once

#include <algorithm>
#include <cstdint>

#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

/// What a lost worker had done with an item it held.
enum class mark : std::uint8_t {
  waiting,      ///< not begun
  running,      ///< to blame
  finished,     ///< but its outcome has not arrived
  interrupted,  ///< begun, but that its worker was lost is not its doing
  unknown,      ///< nobody saw
  expired,      ///< ran out of its time: ends here
  unseen        ///< it may have run, where the crash of an item does not take the worker with it
};

/// All that counts.
struct lost_item {
  mark seen = mark::waiting;
  bool held_alone = false;         ///< its worker held nothing else
  bool was_alone = false;          ///< as a suspect
  std::uint32_t deaths = 0;        ///< executions that ended in a death, or may have
  std::uint32_t max_attempts = 1;  ///< how many may
};

enum class verdict : std::uint8_t {
  requeue,
  requeue_alone,  ///< not blamed
  retry_alone,    ///< blamed
  quarantined,
  result_lost,
  expired
};

struct judgement {
  verdict what;
  bool charged;  ///< this was one death more

  friend bool operator==(const judgement&, const judgement&) = default;
};

/// What was running is blamed at once; without a witness that is the only one held, and of several each runs alone from
/// now on. What had finished, or may have, can be innocent: when that has happened to it often enough, or may
/// happen to it only once more, it runs alone, and is to blame if it happens again.
constexpr judgement judge(const lost_item& i) {
  const std::uint32_t most = std::max(i.max_attempts, 1u);
  const bool may_be_done = i.seen == mark::finished || i.seen == mark::unseen;
  const bool blamed = i.seen == mark::running || (i.seen == mark::unknown && i.held_alone)
                      || (may_be_done && i.was_alone);
  if (i.seen == mark::expired) return {verdict::expired, false};
  if (blamed) return {i.deaths + 1 >= most ? verdict::quarantined : verdict::retry_alone, true};
  if (most == 1 && i.seen != mark::waiting) return {verdict::result_lost, false};
  if (may_be_done) {
    const std::uint32_t deaths = i.deaths + 1;
    const bool alone = deaths >= tuning::innocent_losses || deaths + 1 >= most;
    return {alone ? verdict::requeue_alone : verdict::requeue, true};
  }
  const bool alone = i.was_alone || i.seen == mark::unknown;
  return {alone ? verdict::requeue_alone : verdict::requeue, false};
}

}  // namespace fmap::kernel
