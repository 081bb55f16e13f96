// SPDX-License-Identifier: BSD-3-Clause
// Consecutive items as they arrive in a frame.
#pragma once

#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>

namespace fmap::remote {

/// The bytes of some items, one after the other, with the index and the place in the flight recorder of the first.
struct item_span {
  std::uint64_t index = 0;
  std::uint32_t place = 0;
  std::span<const std::uint32_t> sizes;
  std::string_view bytes;

  std::uint32_t count() const { return static_cast<std::uint32_t>(sizes.size()); }

  /// Whether the sizes are those of the bytes.
  bool fits() const {
    return std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0}) == bytes.size();
  }

  item_span first(std::uint32_t n) const {
    const auto some = sizes.first(n);
    const auto size = std::accumulate(some.begin(), some.end(), std::size_t{0});
    return {index, place, some, bytes.substr(0, size)};
  }

  void remove_first(std::uint32_t n) {
    bytes.remove_prefix(first(n).bytes.size());
    sizes = sizes.subspan(n);
    index += n;
    place += n;
  }
};

}  // namespace fmap::remote
