// SPDX-License-Identifier: BSD-3-Clause
// How far a peer got with what it holds.
#pragma once

#include <cstdint>

#include "src/remote/kernel.hpp"

namespace fmap::remote {

/// Somebody who may have seen what became of each item: its peer writes down in the item's place what it does, and
/// those who hold it responsible read that. Not thread-safe.
class witness {
public:
  witness() = default;
  virtual ~witness() = default;
  witness(const witness&) = delete;
  witness& operator=(const witness&) = delete;

  struct places {
    std::uint32_t first = 0, count = 0;
  };

  /// Places for up to `count` items, side by side, which wait. None only if all are used.
  virtual places reserve(std::uint32_t count) = 0;

  /// Nothing needs to be told of these any more.
  virtual void free(std::uint32_t first, std::uint32_t count) = 0;

  /// How far the peer got with the item in this place; mark::unknown if nobody saw.
  virtual mark state_of(std::uint32_t place) const = 0;

  /// The peer has asked for memory and got none.
  virtual bool out_of_memory() const { return false; }
};

}  // namespace fmap::remote
