// SPDX-License-Identifier: BSD-3-Clause
// When a peer is to send items back, and when it is to be killed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "src/remote/kernel.hpp"
#include "src/remote/watched_time.hpp"

namespace fmap::remote {

/// The longest and the shortest item_timeout of what a peer holds; 0 if there is none.
struct item_timeouts {
  std::chrono::nanoseconds least{}, most{};
};

/// What a watchdog says.
struct watch_order {
  enum class kind : std::uint8_t {
    nothing,
    recall,     ///< what has not begun, as it waits for a slow item
    kill,       ///< it does nothing with what it has, or does not end; no item is to blame
    kill_item,  ///< this item has run for too long
  };
  kind what = kind::nothing;
  item_id item{};

  bool operator==(const watch_order&) const = default;
};

/// Watches one peer. Reads no clock: it is told what time it is and what the peer holds, and decides. What is held,
/// `Held`, has the functions calls(), at_work(), timeouts() and each_running() of in_transit, which are called only
/// where their answer matters. Not thread-safe.
class watchdog {
public:
  using duration = std::chrono::nanoseconds;

  /// One moment, on the clock and in time that was watched.
  struct moment {
    clock::time_point now;
    duration watched{};
  };

  /// An item that takes longer than this does not keep others waiting that have been sent after it.
  static constexpr std::chrono::milliseconds slow_item{10};

  /// A peer that has nothing to do any more, and does not end, gets so long (somebody has stopped it, say).
  static constexpr std::chrono::seconds time_to_quit{5};

  /// Beyond the longest item_timeout, until a peer has begun something.
  static constexpr std::chrono::seconds time_to_begin{1};

  /// So often it is looked after whether a peer ends; and items that may not take for ever at least so often.
  static constexpr std::chrono::milliseconds longest_pause{100};

  watchdog(std::uint32_t threads, moment now) : threads_{threads}, progress_{now} {}

  /// The peer has said something, or holds its first item.
  void progress(moment now) { progress_ = now; }

  /// An item is done, or nothing is held any more: what the peer was stuck at is over.
  void resume() { stalled_ = false; }

  /// The peer was told to finish.
  void quit(moment now) { quitting_ = now.watched; }

  /// The peer is at slow items, and gets no others before one of them is done.
  bool stalled() const { return stalled_; }
  bool quitting() const { return quitting_.has_value(); }
  /// The item for which the peer was killed.
  const std::optional<item_id>& expired() const { return expired_; }

  /// What is to be done now. `ready`: the peer can execute items.
  template <class Held>
  watch_order look(moment now, const Held& held, bool ready) {
    if (quitting_ && now.watched - *quitting_ > time_to_quit) return {watch_order::kind::kill, {}};
    if (const watch_order order = check_timeouts(now, held, ready);
        order.what != watch_order::kind::nothing)
      return order;
    if (!crowded(held) || now.now - progress_.now < slow_item || !held.at_work()) return {};
    stalled_ = true;
    return {watch_order::kind::recall, {}};
  }

  /// Milliseconds until it has to look again; -1: not before something happens.
  template <class Held>
  int pause(const Held& held) const {
    using std::chrono::milliseconds;
    if (quitting_) return static_cast<int>(longest_pause.count());
    const int soon = crowded(held) ? static_cast<int>(slow_item.count()) : -1;
    const duration least = held.timeouts().least;
    if (least.count() == 0) return soon;
    const auto ms = static_cast<int>(std::clamp(std::chrono::duration_cast<milliseconds>(least / 8),
                                                milliseconds{1}, longest_pause)
                                         .count());
    return soon < 0 ? ms : std::min(soon, ms);
  }

private:
  /// Whether the peer holds items that may have to wait for others.
  template <class Held>
  bool crowded(const Held& held) const {
    return !stalled_ && held.calls(threads_) > threads_;
  }

  template <class Held>
  watch_order check_timeouts(moment now, const Held& held, bool ready) {
    const item_timeouts limits = held.timeouts();
    if (limits.least.count() == 0 || expired_) return {};
    std::map<item_id, duration> running;
    held.each_running([&](const item_id& item, duration limit) {
      const auto seen = running_since_.find(item);
      const duration since = running[item] =
          seen != running_since_.end() ? seen->second : now.watched;
      if (now.watched - since < limit) return false;
      expired_ = item;
      return true;
    });
    running_since_.swap(running);
    if (expired_) return {watch_order::kind::kill_item, *expired_};
    // An item_timeout may be the longest there is.
    if (ready && running_since_.empty()
        && now.watched - progress_.watched - time_to_begin > limits.most)
      return {watch_order::kind::kill, {}};
    return {};
  }

  const std::uint32_t threads_;
  moment progress_;
  bool stalled_ = false;
  std::optional<duration> quitting_;
  std::optional<item_id> expired_;
  std::map<item_id, duration> running_since_;
};

}  // namespace fmap::remote
