// SPDX-License-Identifier: BSD-3-Clause
// The items as an input range: each one is read when there is a token for it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "tool/input/blocks.hpp"
#include "tool/input/sources.hpp"

namespace fmap::tool {

/// The bound: an item is in flight from before it is read until its output has been written. The map's own
/// bound counts until the result is taken, which is before that.
class bound {
public:
  explicit bound(std::size_t most) : most_{most} {}

  /// Waits for a token; false: there are none any more.
  bool take() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return over_ || in_flight_ < most_; });
    if (over_) return false;
    ++in_flight_;
    return true;
  }
  /// A token, if one is free now.
  bool try_take() {
    std::lock_guard guard{mutex_};
    if (over_ || in_flight_ >= most_) return false;
    ++in_flight_;
    return true;
  }
  void give_back(std::size_t many) {
    std::lock_guard guard{mutex_};
    in_flight_ -= many;
    changed_.notify_one();
  }
  /// There may be so many from now on, if that is more.
  void widen(std::size_t most) {
    std::lock_guard guard{mutex_};
    most_ = std::max(most_, most);
    changed_.notify_all();
  }
  void close() {
    std::lock_guard guard{mutex_};
    over_ = true;
    changed_.notify_all();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t most_;
  std::size_t in_flight_ = 0;
  bool over_ = false;
};

/// How items are put together.
struct batching {
  std::function<std::size_t()> size;  // how many there are in the next command; none: one
  bool waits = true;                  // until there are so many, or the input has ended
  std::function<std::size_t(const item&)> cost;  // of an item among several, of `room`
  std::size_t room = 0;
};

/// Reads what commands are run for.
class item_reader {
public:
  item_reader(combinations from, const flag& stop, bound& tokens, batching how = {})
      : from_{std::move(from)}, stop_{stop}, tokens_{tokens}, how_{std::move(how)} {}

  /// What is not `wanted` is passed over, as an earlier run has done it.
  void only(std::function<bool(item&)> wanted) { wanted_ = std::move(wanted); }

  /// Without a token, before the run.
  std::optional<item> read_ahead();
  /// Will be the first that next() returns.
  void put_first(std::deque<item> read) { first_ = std::move(read); }

  /// None: the input has ended, or the run has.
  std::optional<item> next();
  /// Called when there are none.
  void on_end(std::function<void()> call) { at_end_ = std::move(call); }

  /// How many items were not wanted, or were done before.
  std::uint64_t passed_over() const { return passed_over_; }
  void pass_over(std::size_t many) { passed_over_ += many; }

  /// Once the run has ended: whether all items have been read, as far as that can be known without a wait.
  bool has_ended();

private:
  std::optional<item> find_next();
  std::optional<item> collect();
  bool take_token(bool can_do_without);

  combinations from_;
  const flag& stop_;
  bound& tokens_;
  batching how_;
  std::function<bool(item&)> wanted_;
  std::function<void()> at_end_;
  std::deque<item> first_;
  std::optional<item> left_over_;  // it did not fit
  std::uint64_t number_ = 0;
  bool counts_ = true;
  bool left_over_counts_ = true;
  bool ended_ = false;
  std::atomic<std::uint64_t> passed_over_{0};
};

/// Ends when the reader does.
class items {
public:
  class iterator {
  public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = item;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    item& operator*() const { return *of_->current_; }
    iterator& operator++() {
      of_->current_ = of_->from_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !of_->current_; }

  private:
    friend items;
    explicit iterator(items& of) : of_{&of} {}
    items* of_ = nullptr;
  };

  explicit items(item_reader& from) : from_{&from} {}

  iterator begin() {
    current_ = from_->next();
    return iterator{*this};
  }
  std::default_sentinel_t end() const noexcept { return {}; }

private:
  item_reader* from_;
  std::optional<item> current_;
};

}  // namespace fmap::tool
