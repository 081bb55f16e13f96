// SPDX-License-Identifier: BSD-3-Clause
// An item that is counted while it lives.
#pragma once

#include <atomic>
#include <utility>

namespace testing {

/// Counts how many live, and how often one was copied. Knows when it has been moved from.
class counted {
public:
  explicit counted(int value = 0) : value_{value} { ++alive; }
  counted(const counted& other) : value_{other.value_} {
    ++alive;
    ++copies;
  }
  counted(counted&& other) noexcept : value_{std::exchange(other.value_, gone)} { ++alive; }
  counted& operator=(const counted& other) {
    value_ = other.value_;
    ++copies;
    return *this;
  }
  counted& operator=(counted&& other) noexcept {
    value_ = std::exchange(other.value_, gone);
    return *this;
  }
  ~counted() { --alive; }

  int value() const { return value_; }

  static constexpr int gone = -1'000'000;
  static inline std::atomic<long> alive{0}, copies{0};

private:
  int value_;
};

}  // namespace testing
