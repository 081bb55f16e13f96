// SPDX-License-Identifier: BSD-3-Clause
// How many workers a pool has, and how many it may have.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "src/kernel/ledger_names.hpp"
#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

/// When to try again after starts that failed. What fails while one is waited for counts as the same failure.
class start_pause {
public:
  void failed(clock::time_point now) {
    if (in_vain_ != 0 && now < next_) return;
    const auto pause = tuning::first_pause * (1 << std::min<std::size_t>(in_vain_++, 10));
    next_ = now + std::min<std::chrono::milliseconds>(pause, tuning::longest_pause);
  }
  void succeeded() { in_vain_ = 0; }

  /// Starts in vain, in a row.
  std::size_t in_vain() const { return in_vain_; }
  bool lasts(clock::time_point now) const { return now < next_; }

private:
  std::size_t in_vain_ = 0;
  clock::time_point next_{};
};

/// Workers are started one by one. Those that wait for something, and the reserves, come on top of the capacity.
class staffing {
public:
  explicit staffing(std::uint32_t capacity) : capacity_{capacity} {}

  std::uint32_t capacity() const { return capacity_; }
  bool may_start() const { return started_ < allowed() && retiring_ < 2 * capacity_; }

  /// More workers than there may be: some were started for others that were blocked then, or there may be fewer now.
  bool surplus() const { return started_ > allowed(); }
  std::uint32_t surplus_workers() const { return surplus() ? started_ - allowed() : 0; }

  /// There may be fewer now: who is at work leaves after its batch, whatever there is to do.
  bool must_shrink() const { return shrinking_ && surplus(); }

  /// No worker is left.
  bool nobody() const { return started_ + retiring_ == 0; }

  /// Some have been started that have not joined.
  bool all_joined(std::size_t here) const { return here >= started_; }

  // -- starts -----------------------------------------------------------------

  void start_one() {
    ++started_;
    ++to_start_;
  }

  /// There may be one more, and it is started; or one less, and it has ended without being replaced.
  void grow() {
    ++capacity_;
    start_one();
  }
  void shrink() {
    --capacity_;
    never_came();
  }

  /// There may be so many from now on. Nobody is started who would be too many.
  void resize(std::uint32_t capacity) {
    capacity_ = capacity;
    const auto regular = to_start_ - std::min(to_start_, reserves_to_join_);
    const auto dropped = std::min(regular, surplus_workers());
    to_start_ -= dropped;
    started_ -= dropped;
    shrinking_ = above_capacity();
  }
  void start_reserve() {
    start_one();
    ++reserves_;
    ++reserves_to_join_;
  }
  bool may_start_reserve() const { return reserves_ < tuning::most_blocked; }

  /// The workers to start now.
  std::uint32_t take_starts() { return std::exchange(to_start_, 0); }

  /// Nobody will start them.
  void forget_starts() {
    started_ -= take_starts();
    reserves_ -= std::exchange(reserves_to_join_, 0);
  }

  /// Nobody is left who could work, not even one of the `proven`.
  bool hopeless(std::uint32_t proven) const { return proven == 0 || started_ <= blocked_; }

  start_pause pause;

  // -- lives ------------------------------------------------------------------

  /// A worker of the pool's has come. True: it is a reserve.
  bool joined() {
    if (reserves_to_join_ == 0) return false;
    --reserves_to_join_;
    return true;
  }
  void never_came() {
    --started_;
    if (joined()) --reserves_;
  }

  /// It is going to leave, and counts no more: another one may be started in its place.
  void retired() {
    --started_;
    ++retiring_;
    shrinking_ = shrinking_ && above_capacity();
  }
  void left(bool supervised, bool was_retired, bool reserve) {
    if (supervised) --started_;
    if (was_retired) --retiring_;
    if (reserve) --reserves_;
    shrinking_ = shrinking_ && above_capacity();
  }

  // -- waits ------------------------------------------------------------------

  /// False: too many wait already.
  bool block() {
    if (blocked_ == tuning::most_blocked) return false;
    ++blocked_;
    return true;
  }
  void unblock() { --blocked_; }
  bool any_blocked() const { return blocked_ != 0; }

  /// The same for what is never refused.
  void step_aside() { ++aside_; }
  void step_back() { --aside_; }

private:
  std::uint32_t allowed() const { return capacity_ + blocked_ + aside_ + reserves_; }

  /// Too many, or they will be when those that wait go on.
  bool above_capacity() const { return started_ > capacity_ + reserves_; }

  std::uint32_t capacity_;
  std::uint32_t started_ = 0, to_start_ = 0, retiring_ = 0;
  std::uint32_t blocked_ = 0, aside_ = 0;  // workers that wait, and those that see something out
  std::uint32_t reserves_ = 0, reserves_to_join_ = 0;  // of those started
  bool shrinking_ = false;                             // until there are few enough
};

}  // namespace fmap::kernel
