// SPDX-License-Identifier: BSD-3-Clause
// Doorbells to ring once a mutex is released.
#pragma once

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "src/kernel/doorbell.hpp"

namespace fmap::kernel {

/// To be declared before the lock: rings when it goes out of scope, after the lock has.
class bells {
public:
  bells() = default;
  bells(const bells&) = delete;
  bells& operator=(const bells&) = delete;
  ~bells() { ring(); }

  void add(const doorbell_ptr& bell) {
    if (!bell) return;
    if (count_ < few_.size())
      few_[count_++] = bell;
    else
      patiently([&] { many_.push_back(bell); });
  }

  void ring() noexcept {
    for (std::size_t i = 0; i != count_; ++i) std::exchange(few_[i], nullptr)->ring();
    count_ = 0;
    for (const auto& bell : std::exchange(many_, {})) bell->ring();
  }

private:
  std::array<doorbell_ptr, 4> few_;
  std::size_t count_ = 0;
  std::vector<doorbell_ptr> many_;
};

}  // namespace fmap::kernel
