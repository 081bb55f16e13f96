// SPDX-License-Identifier: BSD-3-Clause
// When to give a sign of life on a link, and what the other side's signs mean.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>

#include "src/remote/frames.hpp"

namespace fmap::remote {

/// Both sides of a link have one. Any byte that arrives is a sign of life, so neither a large item nor a slow line is
/// silence. Reads no clock: `now` is any time that passes while somebody looks. Not thread-safe.
class beat {
public:
  using duration = std::chrono::nanoseconds;

  beat(duration heartbeat, duration silence, duration now)
      : heartbeat_{heartbeat}, silence_{silence}, heard_{now}, sent_{now - heartbeat} {}

  /// Bytes have arrived.
  void heard(duration now) { heard_ = now; }

  /// A beat has arrived, which may answer one of ours.
  void received(const frames::beat& b, duration now) {
    echo_ = b.number;
    echo_at_ = now;
    while (!mine_.empty() && mine_.front().number < b.echo) mine_.pop_front();
    if (mine_.empty() || mine_.front().number != b.echo) return;
    const duration lay{static_cast<duration::rep>(std::min<std::uint64_t>(b.lay, longest_lay))};
    round_trip_ = std::max(now - mine_.front().sent - lay, duration{0});
    mine_.pop_front();
  }

  /// Whether the next one is to be sent.
  bool due(duration now) const { return now - sent_ >= heartbeat_; }

  /// It is sent now.
  frames::beat next(duration now) {
    sent_ = now;
    mine_.push_back({++number_, now});
    if (mine_.size() > remembered) mine_.pop_front();
    return {number_, echo_, static_cast<std::uint64_t>((now - echo_at_).count())};
  }

  /// Nothing was heard for a third of the silence: the other side gets nothing more to do.
  bool quiet(duration now) const { return now - heard_ > silence_ / 3; }

  /// It is lost.
  bool silent(duration now) const { return now - heard_ > silence_; }

  duration last_heard() const { return heard_; }

  /// There and back, without the time that the beat lay there; 0: not known.
  duration round_trip() const { return round_trip_; }

  /// Milliseconds until the next one is due.
  int pause(duration now) const {
    const duration left = heartbeat_ - (now - sent_);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(left).count() + 1;
    return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60'000));
  }

private:
  struct sent_beat {
    std::uint64_t number;
    duration sent;
  };
  static constexpr std::size_t remembered = 64;
  static constexpr std::uint64_t longest_lay = std::uint64_t{1} << 50;

  const duration heartbeat_, silence_;
  duration heard_, sent_, echo_at_{}, round_trip_{};
  std::uint64_t number_ = 0, echo_ = 0;
  std::deque<sent_beat> mine_;
};

}  // namespace fmap::remote
