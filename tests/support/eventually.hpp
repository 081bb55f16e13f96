// SPDX-License-Identifier: BSD-3-Clause
// Waiting for what another thread will do.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace testing {

/// Polls until the condition holds; false if it does not within half a minute.
template <class Condition>
bool eventually(const Condition& holds) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!holds()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::microseconds{50});
  }
  return true;
}

/// Holds threads up until it is opened. It may be destroyed then, though some have not gone on yet.
class gate {
public:
  void pass() {
    const std::shared_ptr<state> s = state_;
    std::unique_lock lock{s->mutex};
    ++s->waiting;
    s->opened.wait(lock, [&s] { return s->open; });
    --s->waiting;
  }

  void open() {
    std::lock_guard guard{state_->mutex};
    state_->open = true;
    state_->opened.notify_all();
  }

  /// Threads that stand before it.
  int waiting() const {
    std::lock_guard guard{state_->mutex};
    return state_->waiting;
  }

private:
  struct state {
    std::mutex mutex;
    std::condition_variable opened;
    int waiting = 0;
    bool open = false;
  };
  const std::shared_ptr<state> state_ = std::make_shared<state>();
};

/// Opens a gate when the scope is left, so that a failed assertion does not hang the test.
class opens_at_exit {
public:
  explicit opens_at_exit(gate& g) : gate_{g} {}
  ~opens_at_exit() { gate_.open(); }
  opens_at_exit(const opens_at_exit&) = delete;
  opens_at_exit& operator=(const opens_at_exit&) = delete;

private:
  gate& gate_;
};

}  // namespace testing
