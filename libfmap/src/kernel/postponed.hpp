// SPDX-License-Identifier: BSD-3-Clause
// Items that have failed and wait until they are tried again. Pure: it is told the time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "src/kernel/ledger_names.hpp"
#include "src/kernel/span.hpp"

namespace fmap::kernel {

/// By when they are due. In the ledger a worker that does nothing (`hands`) holds them, so they have their tokens, and
/// their run does not end meanwhile.
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

  bool due(clock::time_point now) const {
    return !by_time_.empty() && by_time_.begin()->first <= now;
  }

  /// What is due, by time.
  std::vector<item> take_due(clock::time_point now) {
    return take([&](const auto& each) { return each.first <= now; });
  }

  /// All that waits, of a run or (0) of any.
  std::vector<item> take_all(run_id only) {
    return take([&](const auto& each) { return only == 0 || each.second.run == only; });
  }

  std::size_t size() const { return by_time_.size(); }

  worker_id hands = 0;  ///< 0: nothing has ever waited

private:
  template <class Which>
  std::vector<item> take(Which which) {
    std::vector<item> result;
    for (auto it = by_time_.begin(); it != by_time_.end();) {
      if (which(*it)) {
        result.push_back(it->second);
        it = by_time_.erase(it);
      } else {
        ++it;
      }
    }
    return result;
  }

  std::multimap<clock::time_point, item> by_time_;
};

}  // namespace fmap::kernel
