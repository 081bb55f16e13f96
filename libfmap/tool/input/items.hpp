// SPDX-License-Identifier: BSD-3-Clause
// The items as an input range: each one is read when there is a token for it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

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
  void give_back() {
    std::lock_guard guard{mutex_};
    --in_flight_;
    changed_.notify_one();
  }
  void close() {
    std::lock_guard guard{mutex_};
    over_ = true;
    changed_.notify_all();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::size_t most_;
  std::size_t in_flight_ = 0;
  bool over_ = false;
};

/// Ends when the sources do, or when `stop` is raised.
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
      of_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !of_->current_; }

  private:
    friend items;
    explicit iterator(items& of) : of_{&of} {}
    items* of_ = nullptr;
  };

  items(combinations from, const flag& stop, bound& tokens)
      : from_{std::move(from)}, stop_{&stop}, tokens_{&tokens} {}

  iterator begin() {
    advance();
    return iterator{*this};
  }
  std::default_sentinel_t end() const noexcept { return {}; }

private:
  void advance() {
    current_.reset();
    if (!tokens_->take()) return;
    if (!stop_->raised()) current_ = from_.next();
    if (stop_->raised()) current_.reset();
  }

  combinations from_;
  const flag* stop_;
  bound* tokens_;
  std::optional<item> current_;
};

}  // namespace fmap::tool
