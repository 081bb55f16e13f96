// SPDX-License-Identifier: BSD-3-Clause
// What a peer holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include <fmap/detail/remote_job.hpp>

#include "src/remote/suspects.hpp"
#include "src/remote/watchdog.hpp"
#include "src/remote/witness.hpp"

namespace fmap::remote {

/// Items that were sent together. Those whose outcome has come, or that came back, are no longer open.
struct sent_batch {
  run_ptr of;
  detail::remote_job* work;  // the run's
  chunk* in;
  std::uint64_t first;
  std::uint32_t count, open;
  std::uint32_t place;  // of the first, where the witness looks
  std::vector<bool> is_open;
  bool in_one_call;  // all its items are executed at once
  bool recalled = false;

  std::uint64_t end() const { return first + count; }
  bool holds(std::uint64_t index) const {
    return first <= index && index < end() && is_open[index - first];
  }
};

/// Keeps the books of what was sent and is unanswered, and says how far the peer got with it. Not thread-safe.
class in_transit {
public:
  /// `who` is to blame where the witness saw nothing.
  in_transit(witness& seen, suspects who) : witness_{seen}, suspects_{who} {}

  /// Room for up to `count` items, which are sent next: where the witness looks, and how many there may be.
  witness::places reserve(std::uint32_t count) { return witness_.reserve(count); }

  /// They are on their way.
  void add(const parcel&, detail::remote_job&, std::uint64_t first, witness::places);

  /// The batch in which an item is open; without an index, any of the run. There may be others that the item has
  /// been part of, and came back from. Stays good until forget_empty().
  sent_batch* find(run_id, std::optional<std::uint64_t> index = {});
  const sent_batch* find(run_id run, std::optional<std::uint64_t> index = {}) const {
    return const_cast<in_transit*>(this)->find(run, index);
  }
  std::vector<sent_batch>& batches() noexcept { return batches_; }

  /// Consecutive items of a batch, which were open, are answered.
  void close(sent_batch&, std::uint64_t first, std::uint32_t count);

  /// Batches of which nothing is open any more.
  void forget_empty();

  /// What is of runs that were stopped, of a peer without a recorder.
  void forget_stopped();

  /// All has been decided on.
  void forget() { batches_.clear(); }

  bool empty() const noexcept { return batches_.empty(); }

  /// How many items the peer holds.
  std::uint32_t size() const noexcept;

  /// How many calls these are, where the items of one message are shared by so many threads.
  std::uint32_t calls(std::uint32_t threads) const noexcept;

  /// How far the peer got with an item.
  mark state_of(const item_id&) const;

  /// Whether it is, or may be, at any item; or has been at any that it holds.
  bool at_work() const { return any_is({mark::running, mark::unknown}); }
  bool begun() const { return any_is({mark::running, mark::unknown, mark::finished}); }

  /// The items that are executed in one call with this one, so that nobody knows which of them takes the time. None: it
  /// is alone.
  std::optional<item_range> call_of(const item_id&) const;

  item_timeouts timeouts() const;
  std::chrono::nanoseconds timeout_of(run_id) const;

  /// Calls `f(item, its timeout)` for each item that is, or may be, read or executed now and must not take forever,
  /// until that returns true.
  template <class F>
  void each_running(F f) const {
    for (const sent_batch& b : batches_) {
      const auto limit = b.of->limits.item_timeout;
      if (limit.count() == 0) continue;
      for (std::uint32_t i = 0; i != b.count; ++i) {
        if (!b.is_open[i]) continue;
        const mark m = state_of(b, i);
        if ((m == mark::running || m == mark::unknown) && f(item_id{b.of->id, b.first + i}, limit))
          return;
      }
    }
  }

private:
  mark state_of(const sent_batch&, std::uint32_t i) const;
  std::uint64_t open_before(const sent_batch&, std::uint32_t i) const;
  bool any_is(std::initializer_list<mark>) const;

  witness& witness_;
  const suspects suspects_;
  std::vector<sent_batch> batches_;  // in the order in which they were sent
};

}  // namespace fmap::remote
