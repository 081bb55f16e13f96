// SPDX-License-Identifier: BSD-3-Clause
// Threads of which one runs at a time, in a time of their own: what they do takes as long as they say.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "src/kernel/doorbell.hpp"

namespace testing {

/// The party with the earliest time is the next to run. To look at the clock takes a moment, and to wake somebody some
/// microseconds of both, as on a real machine. The thread that makes the world is its first party. While the world
/// lives, the program's steady clock is to ask it for the time, and a thread that yields is to spend a turn.
class virtual_world {
public:
  using duration = std::chrono::nanoseconds;
  static constexpr duration look{20}, turn{1000}, wake_up{10'000}, never = duration::max();

  virtual_world() {
    current_ = &add();
    current = this;
  }
  ~virtual_world() {
    current = nullptr;
    for (auto& t : threads_) t.join();
  }
  virtual_world(const virtual_world&) = delete;
  virtual_world& operator=(const virtual_world&) = delete;

  static inline virtual_world* current = nullptr;

  duration time() const { return time_; }
  duration look_at_clock() { return time_ += look; }

  /// Another party; it runs when this one spends time or waits.
  void spawn(std::function<void()> life) {
    party& p = add();
    p.at = time_;
    threads_.emplace_back([this, &p, life = std::move(life)] {
      {
        std::unique_lock lock{mutex_};
        p.go.wait(lock, [&] { return current_ == &p; });
      }
      life();
      const std::lock_guard lock{mutex_};
      p.at = never;
      p.ended = true;
      hand_over();
    });
  }

  /// What this party does takes so long.
  void spend(duration d) {
    current_->at = time_ + d;
    switch_over();
  }

  /// Lets the others go on until they have ended.
  void see_out() {
    const auto over = [this](const auto& p) { return p.get() == current_ || p->ended; };
    while (!std::all_of(parties_.begin(), parties_.end(), over))
      spend(std::chrono::milliseconds{1});
  }

private:
  struct party {
    std::condition_variable go;
    duration at{};
    bool ended = false;
  };

public:
  class bell final : public fmap::kernel::doorbell {
  public:
    explicit bell(virtual_world& w) : world_{w} {}

    void ring() noexcept override {
      ++times_rung;
      rung_ = true;
      if (waiter_ != nullptr) waiter_->at = std::min(waiter_->at, world_.time_ + wake_up);
      world_.spend(wake_up);
    }

    /// False: it has not rung before `until`.
    bool wait(duration until = never) {
      if (!rung_) {
        waiter_ = world_.current_;
        waiter_->at = until;
        world_.switch_over();
        waiter_ = nullptr;
      }
      return std::exchange(rung_, false);
    }

    int times_rung = 0;

  private:
    virtual_world& world_;
    bool rung_ = false;
    party* waiter_ = nullptr;
  };

private:
  party& add() { return *parties_.emplace_back(std::make_unique<party>()); }

  void hand_over() {
    const auto next = std::min_element(parties_.begin(), parties_.end(),
                                       [](const auto& a, const auto& b) { return a->at < b->at; });
    if ((*next)->at == never) {
      std::fputs("a virtual world in which everybody waits for ever\n", stderr);
      std::abort();
    }
    time_ = std::max(time_, (*next)->at);
    current_ = next->get();
    current_->go.notify_one();
  }

  void switch_over() {
    std::unique_lock lock{mutex_};
    party* const self = current_;
    hand_over();
    self->go.wait(lock, [&] { return current_ == self; });
  }

  std::mutex mutex_;
  duration time_ = std::chrono::seconds{1};
  party* current_ = nullptr;
  std::vector<std::unique_ptr<party>> parties_;
  std::vector<std::thread> threads_;
};

}  // namespace testing
