// SPDX-License-Identifier: BSD-3-Clause
// The input of a run, said to be at hand or not.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include <fmap/detail/job.hpp>

namespace testing {

class input_said_to_be final : public fmap::detail::input {
public:
  input_said_to_be(bool at_hand, std::unique_ptr<input> from)
      : at_hand_{at_hand}, from_{std::move(from)} {}

  bool pull(fmap::detail::chunk& c, std::uint32_t& filled, std::uint32_t end,
            const std::atomic<std::uint32_t>& flush_every) override {
    return from_->pull(c, filled, end, flush_every);
  }
  bool at_hand() const override { return at_hand_; }

private:
  const bool at_hand_;
  const std::unique_ptr<input> from_;
};

}  // namespace testing
