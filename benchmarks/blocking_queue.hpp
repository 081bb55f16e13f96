// SPDX-License-Identifier: BSD-3-Clause
// The bounded queue people write by hand: one mutex, two condition variables.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace bench {

template <class T>
class blocking_queue {
public:
  explicit blocking_queue(std::size_t capacity) : capacity_{capacity} {}

  /// Waits for room.
  void push(T value) {
    {
      std::unique_lock lock{mutex_};
      has_room_.wait(lock, [this] { return values_.size() < capacity_; });
      values_.push_back(std::move(value));
    }
    has_value_.notify_one();
  }

  /// Waits for a value; nothing when the queue is closed and empty.
  std::optional<T> pop() {
    std::optional<T> result;
    {
      std::unique_lock lock{mutex_};
      has_value_.wait(lock, [this] { return closed_ || !values_.empty(); });
      if (values_.empty()) return result;
      result.emplace(std::move(values_.front()));
      values_.pop_front();
    }
    has_room_.notify_one();
    return result;
  }

  void close() {
    {
      std::lock_guard lock{mutex_};
      closed_ = true;
    }
    has_value_.notify_all();
  }

private:
  std::mutex mutex_;
  std::condition_variable has_room_;
  std::condition_variable has_value_;
  std::deque<T> values_;
  std::size_t capacity_;
  bool closed_ = false;
};

}  // namespace bench
