// SPDX-License-Identifier: BSD-3-Clause
// What a worker process holds, and the frames in which that goes there and comes back.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmap/detail/remote_job.hpp>

#include "actors/node/connection.hpp"
#include "actors/node/recorder.hpp"
#include "src/kernel/remote_port.hpp"

namespace fmap::actors {

/// Sends items to a worker process, and puts the outcomes that come back into their slots. Trusts nothing
/// that comes back. Not thread-safe.
class custody {
public:
  using item = std::pair<run_id, std::uint64_t>;

  custody(shared_mailbox& box, worker& place, connection& line)
      : box_{box}, place_{place}, line_{line} {}

  recorder& flight() noexcept { return recorder_; }

  /// Sends a batch. What cannot be sent ends with an error. Returns how many items are on their way.
  std::uint32_t send(const parcel&);

  /// What has not begun of runs that were stopped is called back, and runs that are over are forgotten.
  void tidy_up();

  /// Calls back all that has not begun.
  void recall_all();

  /// Frames of these kinds. False: they make no sense.
  bool outcomes(wire::reader&);
  bool returned(wire::reader&);

  bool empty() const noexcept { return holdings_.empty(); }

  /// How many items the process holds.
  std::uint32_t size() const noexcept;

  /// Whether anything of what the process had been given came back.
  bool delivered() const noexcept { return delivered_; }

  /// How far the process got with an item.
  mark state_of(const item&) const;
  /// Whether it is at any item, or has been at any that it holds.
  bool at_work() const { return any_is(mark::running); }
  bool begun() const { return at_work() || any_is(mark::finished); }

  /// The longest and the shortest item_timeout of what is held; 0 if there is none.
  struct limits {
    std::chrono::nanoseconds least{}, most{};
  };
  limits timeouts() const;
  std::chrono::nanoseconds timeout_of(run_id) const;

  /// Calls `f(item, its timeout)` for each item that is being read or executed and must not take forever, until
  /// that returns true.
  template <class F>
  void each_running(F f) const {
    for (const holding& h : holdings_) {
      if (h.of->limits.item_timeout.count() == 0) continue;
      for (std::uint32_t i = 0; i != h.count; ++i)
        if (h.is_open[i] && state_of(h, i) == mark::running
            && f(item{h.of->id, h.first + i}, h.of->limits.item_timeout))
          return;
    }
  }

  /// All has been decided on.
  void forget() { holdings_.clear(); }

private:
  /// Items that the process holds. Those whose outcome has come are no longer open.
  struct holding {
    run_ptr of;
    detail::remote_job* work;  // the run's
    chunk* in;
    std::uint64_t first;
    std::uint32_t count, open;
    std::uint32_t place;  // in the recorder
    std::vector<bool> is_open;
    bool recalled = false;

    std::uint64_t end() const { return first + count; }
  };

  mark state_of(const holding&, std::uint32_t i) const;
  bool any_is(mark) const;
  void open(const run_ptr&);
  void post(const parcel&, detail::remote_job&, std::uint64_t first);
  void load(const holding&, std::uint64_t index, std::string_view bytes);
  holding* find(run_id, std::optional<std::uint64_t> index);
  const holding* find(run_id run, std::optional<std::uint64_t> index) const {
    return const_cast<custody*>(this)->find(run, index);
  }
  void close_item(holding&, std::uint64_t index);
  void forget_empty();

  shared_mailbox& box_;
  worker& place_;
  connection& line_;
  recorder recorder_;
  bool delivered_ = false;
  std::vector<holding> holdings_;
  std::unordered_map<run_id, std::weak_ptr<run>> opened_;
  std::string scratch_;  // items that are about to be sent
  std::vector<std::uint32_t> sizes_;
};

}  // namespace fmap::actors
