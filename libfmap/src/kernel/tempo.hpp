// SPDX-License-Identifier: BSD-3-Clause
// What is worth while in a run, by what its items cost. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "src/kernel/ledger_names.hpp"
#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

/// How large an item is, measured by what it costs to wake somebody up.
enum class grain : std::uint8_t {
  unknown,  ///< nothing is measured or expected
  fine,     ///< half a bound of them costs less than one wake-up
  medium,   ///< one of them costs less than one wake-up
  coarse    ///< all others, and single tasks: between two of them a worker had better rest
};

/// What of a run bears on its tempo.
struct run_shape {
  std::uint64_t buffersize = 1;
  bool by_cost = true;                    ///< how batches are sized
  bool pulled = true;                     ///< it has an input; others get their items in messages
  std::chrono::nanoseconds tell_after{};  ///< of one without an input
};

struct tempo {
  ledger::duration cost{};  ///< of an item, lately; 0 while unknown
  grain size = grain::unknown;
  std::uint64_t worth_a_call = 1;          ///< items that a source or consumer is called for
  std::uint64_t pull_at_most = unbounded;  ///< items that are pulled at a time of an input at hand
};

/// `before`: what has been known so far. A run whose cost has become unknown pulls as much as it did.
constexpr tempo tempo_of(ledger::duration cost, const run_shape& of, std::uint32_t workers,
                         const tempo& before = {}) {
  tempo result;
  result.pull_at_most = before.pull_at_most;
  if (cost.count() == 0) return result;
  result.cost = cost;
  const std::uint64_t half = std::max<std::uint64_t>(of.buffersize / 2, 1);
  const ledger::duration worth = of.pulled ? tuning::call_share * tuning::wake_up : of.tell_after;
  result.worth_a_call =
      std::clamp<std::uint64_t>(static_cast<std::uint64_t>(worth / cost), 1, half);
  if (of.by_cost)
    result.pull_at_most =
        std::max<std::uint64_t>(static_cast<std::uint64_t>(tuning::look_ahead / cost), 1) * workers;
  // What comes from elsewhere comes in messages, one after the other.
  const std::uint64_t brought = of.pulled ? std::min(half, tuning::most_fine) : 1;
  if (worth.count() == 0 || cost >= tuning::wake_up)
    result.size = grain::coarse;
  else if (cost * static_cast<std::int64_t>(brought) < tuning::wake_up)
    result.size = grain::fine;
  else
    result.size = grain::medium;
  return result;
}

/// Tokens that are worth a visit to an input at hand.
constexpr std::uint64_t enough_tokens(grain size, std::uint64_t buffersize) {
  return size == grain::fine ? std::max<std::uint64_t>(buffersize / tuning::enough_tokens_share, 1)
                             : 1;
}

/// How many items are pulled between two publications, after this many of them took that long.
constexpr std::uint32_t fill_rate(std::uint32_t before, clock::duration took, std::uint32_t chunk) {
  if (took <= tuning::quick_fill) return std::min(2 * before, chunk);
  if (took >= tuning::slow_fill) return std::max(before / 2, 1u);
  return before;
}

/// What a bound that the user left open begins with.
constexpr std::uint64_t automatic_bound(std::uint32_t workers) {
  return std::max<std::uint64_t>(tuning::least_automatic_bound, tuning::items_per_worker * workers);
}

/// What a bound that the user left open is raised to: as many items as keep the workers busy for some batches, but
/// at least twice what it is, or all that it may be. None: it stays.
constexpr std::optional<std::uint64_t> raised_bound(ledger::duration cost, std::uint64_t now,
                                                    std::uint64_t widest, std::uint32_t workers) {
  if (cost.count() == 0) return {};
  constexpr std::uint64_t worth =
      tuning::bound_batches * static_cast<std::uint64_t>(ledger::default_batch_time.count());
  const std::uint64_t wanted =
      std::min(widest, worth * workers / static_cast<std::uint64_t>(cost.count()));
  if (wanted < 2 * now && (wanted <= now || wanted != widest)) return {};
  return wanted;
}

}  // namespace fmap::kernel
