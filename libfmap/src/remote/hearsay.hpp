// SPDX-License-Identifier: BSD-3-Clause
// A witness who saw nothing.
#pragma once

#include "src/remote/witness.hpp"

namespace fmap::remote {

/// For peers that share no memory with the pool. All that is known of an item is that no answer has come. `all` says
/// whether an item may have taken its peer with it.
class hearsay final : public witness {
public:
  explicit hearsay(mark all = mark::unknown) : all_{all} {}

  places reserve(std::uint32_t count) override { return {0, count}; }
  void free(std::uint32_t, std::uint32_t) override {}
  mark state_of(std::uint32_t) const override { return all_; }

private:
  const mark all_;
};

}  // namespace fmap::remote
