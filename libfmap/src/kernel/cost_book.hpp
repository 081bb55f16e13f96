// SPDX-License-Identifier: BSD-3-Clause
// What the items of earlier runs have cost, and which batches are measured well.
#pragma once

#include <algorithm>
#include <cstddef>
#include <unordered_map>

#include "src/kernel/ledger_names.hpp"
#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

/// The next run of the same function is expected to cost as much. To take coarse items for fine ones would leave
/// workers asleep, so it is one heavy run among light ones that is believed for a while.
class cost_book {
public:
  using duration = ledger::duration;

  /// The same for jobs with the same function type and items.
  static std::size_t kind_of(const job& work) { return typeid(work).hash_code(); }

  /// 0: nothing is known.
  duration expected(std::size_t kind) const {
    const auto known = costs_.find(kind);
    return known != costs_.end() ? known->second : duration{};
  }

  void remember(std::size_t kind, duration measured) {
    duration& cost = costs_[kind];
    cost = std::max(measured, (cost + measured) / 2);
  }

private:
  std::unordered_map<std::size_t, duration> costs_;
};

/// Where many wait for the processor or for the mutex, that must not make items look heavy: it would bring even more
/// workers. So their batches are watched; but not all of them.
class cost_sampler {
public:
  static constexpr bool heavy(ledger::duration cost) { return cost >= tuning::watch_from; }

  /// Whether the next batch will be measured well. Light ones always are.
  bool next(bool is_heavy) {
    if (!is_heavy) return true;
    const unsigned before = heavy_batches_++;
    return before < tuning::watched_first || before % tuning::watch_every == 0;
  }

private:
  unsigned heavy_batches_ = 0;
};

}  // namespace fmap::kernel
