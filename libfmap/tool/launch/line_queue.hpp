// SPDX-License-Identifier: BSD-3-Clause
// Whole lines of several commands, in the order in which they came.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "tool/launch/job.hpp"
#include "tool/launch/outputs.hpp"

namespace fmap::tool {

/// The launcher puts lines in, one thread takes them out and writes them. What waits is bounded: then commands do, too.
class line_queue {
public:
  struct entry {
    job_ptr of;
    stream_of from = stream_of::out;
    std::string bytes;
    std::function<void()> then;  // once they have been written
  };

  /// Called when there is room again after has_room() was false.
  void on_room(std::function<void()> wake) { wake_ = std::move(wake); }

  bool has_room() {
    std::lock_guard guard{mutex_};
    const bool has = bytes_ < most;
    waits_ = waits_ || !has;
    return has;
  }

  void put(entry e) {
    std::lock_guard guard{mutex_};
    bytes_ += e.bytes.size();
    entries_.push_back(std::move(e));
    changed_.notify_one();
  }

  /// No more will come.
  void close() {
    std::lock_guard guard{mutex_};
    over_ = true;
    changed_.notify_one();
  }

  /// Waits. None: it is closed and empty.
  std::optional<entry> take() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return over_ || !entries_.empty(); });
    if (entries_.empty()) return std::nullopt;
    entry e = std::move(entries_.front());
    entries_.pop_front();
    bytes_ -= e.bytes.size();
    const bool wake = bytes_ < most && std::exchange(waits_, false);
    lock.unlock();
    if (wake && wake_) wake_();
    return e;
  }

private:
  static constexpr std::size_t most = 1u << 20;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<entry> entries_;
  std::size_t bytes_ = 0;
  bool waits_ = false;
  bool over_ = false;
  std::function<void()> wake_;
};

}  // namespace fmap::tool
