// SPDX-License-Identifier: BSD-3-Clause
// A witness who saw nothing.
#pragma once

#include "src/remote/witness.hpp"

namespace fmap::remote {

/// For peers that share no memory with the pool. All that is known of an item is that no answer has come.
class hearsay final : public witness {
public:
  places reserve(std::uint32_t count) override { return {0, count}; }
  void free(std::uint32_t, std::uint32_t) override {}
  mark state_of(std::uint32_t) const override { return mark::unknown; }
};

}  // namespace fmap::remote
