// SPDX-License-Identifier: BSD-3-Clause
// Items that have failed and wait until they are tried again. Pure: it is told the time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "src/kernel/ledger_names.hpp"
#include "src/kernel/span.hpp"

namespace fmap::kernel {

/// When they are due; which items that are is the ledger's to know.
class postponed {
public:
  struct item {
    run_id run;
    std::uint64_t index;
  };

  void add(clock::time_point due, item what) { by_time_.emplace(due, what); }

  std::optional<clock::time_point> next() const {
    return by_time_.empty() ? std::nullopt : std::optional{by_time_.begin()->first};
  }

  /// The next that is due by then.
  std::optional<item> take_due(clock::time_point now) {
    if (by_time_.empty() || by_time_.begin()->first > now) return std::nullopt;
    const item what = by_time_.begin()->second;
    by_time_.erase(by_time_.begin());
    return what;
  }

  /// All of a run.
  void forget(run_id run) {
    std::erase_if(by_time_, [run](const auto& each) { return each.second.run == run; });
  }

private:
  std::multimap<clock::time_point, item> by_time_;
};

}  // namespace fmap::kernel
